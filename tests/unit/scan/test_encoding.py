"""Bytes as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.scan.encoding import decode, decode_chunks, encode_chunks, find_codec


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("é".encode(), "utf8"),
        (b"\xe9", "ISO-8859-1"),
        (b"\xe9", "ISO8859_1"),
        (b"\xe9", "windows-1252"),
        (b"\xe9", "Cp1252"),
        (b"\xff\xfe\xe9\x00", "UTF-16"),
        (b"\xfe\xff\x00\xe9", "UTF-16"),
        (b"\x00\xe9", "UTF-16"),
        (b"\x00\xe9", "UTF-16BE"),
        (b"\xe9\x00", "UTF-16LE"),
        (b"\xe9\x00", "UnicodeLittleUnmarked"),
        (b"\x00\x00\x00\xe9", "UTF-32"),
        (b"\x82", "Cp850"),
        (b"\x82", "IBM00858"),
        (b"\x8e", "x-MacRoman"),
    ],
)
def test_encodings_have_the_names_and_the_byte_order_of_java(data: bytes, encoding: str) -> None:
    assert decode(data, encoding, path="x.sql") == "é"


@pytest.mark.parametrize(
    ("java", "python"),
    [
        ("windows-31j", "cp932"),
        ("MS932", "cp932"),
        ("x-windows-949", "cp949"),
        ("x-windows-950", "cp950"),
        ("x-mswin-936", "gbk"),
        ("x-IBM874", "cp874"),
        ("IBM01140", "cp1140"),
        ("8859_15", "iso8859-15"),
        ("x-iso-8859-11", "iso8859-11"),
        ("x-MacCyrillic", "mac-cyrillic"),
        ("x-MacCentralEurope", "mac-latin2"),
        ("x-Johab", "johab"),
        ("x-MS950-HKSCS", "big5hkscs"),
        ("x-UTF-16LE-BOM", "utf-16-le"),
        ("X-UTF-32BE-BOM", "utf-32-be"),
        ("UnicodeBig", "utf-16-be"),
        ("KOI8_R", "koi8-r"),
        ("TIS-620", "tis-620"),
        ("CESU-8", None),
    ],
)
def test_names_of_java_stand_for_encodings_of_python(java: str, python: str | None) -> None:
    assert find_codec(java) == python


def test_a_bom_survives_decoding() -> None:
    assert decode(b"\xef\xbb\xbfa", "UTF-8", path="x.sql") == "\ufeffa"


@pytest.mark.parametrize(
    ("data", "encoding", "place"),
    [
        (b"-- \xe9\n", "UTF-8", "sql/V1__a.sql:1: byte 3 is not text in UTF-8"),
        (b"a\r\nb\n\xff", "UTF-8", "sql/V1__a.sql:3: byte 5 is not text in UTF-8"),
        (b"a\x00\n\x00\x00\xd8a\x00", "UTF-16LE", "sql/V1__a.sql:2: byte 4 is not text in UTF-16LE"),
        (b"\x81", "windows-1252", "sql/V1__a.sql:1: byte 0 is not text in windows-1252"),
    ],
)
def test_bytes_that_are_not_text_are_refused_with_their_place(data: bytes, encoding: str, place: str) -> None:
    with pytest.raises(errors.UnreadableScript) as caught:
        decode(data, encoding, path="sql/V1__a.sql")
    assert str(caught.value).startswith(place)
    assert caught.value.path == "sql/V1__a.sql"
    with pytest.raises(errors.UnreadableScript) as again:
        list(encode_chunks(lambda: [data], encoding, path="sql/V1__a.sql"))
    assert str(again.value) == str(caught.value)


@pytest.mark.parametrize("encoding", ["UTF-9", "", "base64", "a\0b", "idna", "x-", "windows-1"])
@pytest.mark.parametrize("data", [b"", b"a"])
def test_an_encoding_that_nobody_knows_is_an_invalid_option(data: bytes, encoding: str) -> None:
    with pytest.raises(errors.InvalidOption, match="encoding"):
        decode(data, encoding, path="x.sql")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"abc", "abc"),
        ("aé€".encode(), "aé€"),
        (b"caf\xe9", "café"),
        (b"\xef\xbb\xbfa", "\ufeffa"),
        (b"\xfe\xff\x00a", "\ufeffa"),
        (b"\xff\xfea\x00", "\ufeffa"),
        ("select 'é';".encode("utf-16-le"), "select 'é';"),
        ("select 'é';".encode("utf-16-be"), "select 'é';"),
        (b"a\x00b", "a\x00b"),
        (b"ab\x00c", "ab\x00c"),
    ],
)
def test_the_encoding_is_detected_when_asked_for(data: bytes, text: str) -> None:
    assert decode(data, "US-ASCII", path="x.sql", detect=True) == text


def test_the_name_of_the_encoding_is_checked_also_where_it_does_not_count() -> None:
    with pytest.raises(errors.InvalidOption):
        decode(b"", "UTF-9", path="x.sql", detect=True)


@given(st.text())
def test_text_in_utf_8_is_detected(text: str) -> None:
    # Zero bytes would make it look like UTF-16.
    plain = text.replace("\0", "")
    assert decode(plain.encode(), "UTF-8", path="x.sql", detect=True) == plain


def outcome(chunks: list[bytes], encoding: str, *, detect: bool) -> str | tuple[str, int | None]:
    try:
        return "".join(decode_chunks(lambda: chunks, encoding, path="x", detect=detect))
    except errors.UnreadableScript as error:
        return str(error), error.line


@given(
    st.one_of(
        st.binary(max_size=30),
        st.text("aé€😀\n\ufeff", max_size=10).flatmap(
            lambda text: st.sampled_from(["utf-8", "utf-16", "utf-16-le", "shift_jis"]).map(
                lambda encoding: text.encode(encoding, "replace")
            )
        ),
    ),
    st.sampled_from(["UTF-8", "UTF-16", "UTF-16LE", "ISO-8859-1", "windows-1252", "Shift_JIS", "GB18030"]),
    st.integers(4, 9),
    st.booleans(),
)
def test_where_bytes_are_cut_makes_no_difference(data: bytes, encoding: str, size: int, detect: bool) -> None:
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert outcome(chunks, encoding, detect=detect) == outcome([data], encoding, detect=detect)
