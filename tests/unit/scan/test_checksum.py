"""Flyway's checksums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.scan.checksum import Checksum, checksum, without_bom
from taxiway.scan.encoding import decode, encode_chunks

VECTORS = [
    (b"", 0),
    (b"\n", 0),
    (b"\r\n\n\r", 0),
    (b"\xef\xbb\xbf", 0),
    (b"SELECT 1;", 78787420),
    (b"SELECT 1;\n", 78787420),
    (b"SELECT 1;\r\n", 78787420),
    (b"\xef\xbb\xbfSELECT 1;\n", 78787420),
    (b"SELECT 1;\nSELECT 2;\n", -1665099012),
    (b"SELECT 1;\r\nSELECT 2;\r\n", -1665099012),
    (b"SELECT 1;\rSELECT 2;", -1665099012),
    (b"\n\nSELECT 1;\n\n\nSELECT 2;", -1665099012),
    (b"SELECT 1;SELECT 2;", -1665099012),
    (b"SELECT 1; \n", -1951047511),
    (b"\tSELECT 1;\n", -47946674),
    (b"SELECT 1;\x0cSELECT 2;\n", -467102767),
    (b"SELECT 1;\x0b\x1c\xc2\x85\xe2\x80\xa8x\n", 567518716),
    (b"-- caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n", 1030333417),
    (b"create table a(i int);\n", -731837914),
    (b"a\n\xef\xbb\xbfb\n", -444179588),
    (b"\xef\xbb\xbf\xef\xbb\xbfa\n", 1069251642),
    (b"a\x00b\n", 367556721),
    (b"SELECT '${x}';\n", -1710649929),
    (b"SELECT 'v';\n", -1896273774),
]


@pytest.mark.parametrize(("data", "number"), VECTORS)
def test_the_checksum_is_the_one_that_flyway_computes(data: bytes, number: int) -> None:
    assert checksum(decode(data, "UTF-8", path="x.sql")) == number


def test_the_checksum_is_made_of_the_text_and_not_of_its_bytes() -> None:
    assert checksum(decode(b"-- caf\xe9\nselect 1;\n", "ISO-8859-1", path="x.sql")) == -634644525


@given(st.lists(st.text(st.characters(exclude_characters="\r\n"))), st.sampled_from(["\n", "\r", "\r\n"]))
def test_line_ends_never_matter(lines: list[str], end: str) -> None:
    assert checksum(end.join(lines)) == checksum("\n".join(lines) + "\n")


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_has_a_checksum_of_32_bits_with_sign(text: str) -> None:
    assert -(2**31) <= checksum(text) < 2**31


def test_a_bom_is_dropped_only_at_the_start() -> None:
    assert without_bom("\ufeff\ufeffa\ufeff") == "\ufeffa\ufeff"


@given(st.lists(st.sampled_from(["\ufeff", "\r", "\n", "\r\n", "a", "é", "😀"]), max_size=12), st.integers(1, 4))
def test_where_a_text_is_cut_makes_no_difference(pieces: list[str], size: int) -> None:
    text = "".join(pieces)
    assert checksum(text[start : start + size] for start in range(0, len(text), size)) == checksum([text])
    assert checksum(["", *pieces, ""]) == checksum([text])


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 7), st.sampled_from(["UTF-8", "UTF-16"]))
def test_the_bytes_of_a_file_have_the_checksum_of_its_text(text: str, size: int, encoding: str) -> None:
    data = b"\xef\xbb\xbf" + text.encode() if encoding == "UTF-8" else text.encode("utf-16")
    chunks = [data[:3], *(data[start : start + size] for start in range(3, len(data), size))]
    seen = Checksum()
    for chunk in encode_chunks(lambda: chunks, encoding, path="x.sql"):
        seen.add_encoded(chunk)
    assert seen.number == checksum(decode(data, encoding, path="x.sql"))
