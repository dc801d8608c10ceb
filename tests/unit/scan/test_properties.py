"""Text in the syntax of properties files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.scan.properties import Property, parse_properties


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("key=value", "key", "value"),
        ("  key  =  value \t", "key", "value"),
        ("key:value", "key", "value"),
        ("key value", "key", "value"),
        ("key = a=b:c d", "key", "a=b:c d"),
        ("key", "key", ""),
        ("key=", "key", ""),
        ("=value", "", "value"),
        (r"key=C:\temp\x", "key", r"C:\temp\x"),
        ("key=a \\\n    b", "key", "a b"),
        ("key=a\\\r\n\tb\\\n c", "key", "abc"),
        ("ke\\\n  y=value", "key", "value"),
        ("key=a\\", "key", "a\\"),
        ("key=a\\\n\n", "key", "a\\"),
        ("\ufeffkey=value", "key", "value"),
        ("key=a # no comment", "key", "a # no comment"),
    ],
)
def test_a_property(text: str, key: str, value: str) -> None:
    assert parse_properties(text) == [Property(key, value, 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        ("a = b", {"a": "b"}),
        ("a: b", {"a": "b"}),
        ("a b", {"a": "b"}),
        ("a\t=\tb c ", {"a": "b c"}),
        ("  a=b  ", {"a": "b"}),
        ("a=b=c:d", {"a": "b=c:d"}),
        ("a==b", {"a": "=b"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("=b", {"": "b"}),
        ("# a=b\n! c=d\n  # e=f", {}),
        ("a=b # no comment", {"a": "b # no comment"}),
        ("a=1\r\nb=2\rc=3\n\nd=4", {"a": "1", "b": "2", "c": "3", "d": "4"}),
        ("a=1\na=2", {"a": "2"}),
        (r"a=C:\scripts\new", {"a": r"C:\scripts\new"}),
        (r"a=\u0041\n", {"a": r"\u0041\n"}),
        ("a=1,\\\n  2,\\\n  3", {"a": "1,2,3"}),
        ("a=x\\\n#y", {"a": "x#y"}),
        ("a=C:\\dir\\\nflyway.b=2", {"a": "C:\\dir\\", "flyway.b": "2"}),
        ("a=C:\\dir\\\nflyway.b", {"a": "C:\\dirflyway.b"}),
        ("a=C:\\dir\\\n\nb=2", {"a": "C:\\dir\\", "b": "2"}),
        ("a=C:\\dir\\", {"a": "C:\\dir\\"}),
        ("# x \\\na=1", {"a": "1"}),
        ("a=x\\\\\ny", {"a": "x\\y"}),
    ],
)
def test_lines_become_keys_and_values(text: str, expected: dict[str, str]) -> None:
    assert {one.key: one.value for one in parse_properties(text)} == expected


def test_comments_and_empty_lines_are_no_properties_and_lines_are_counted() -> None:
    text = "# one\n\n   ! two \\\r\nfirst=1\rsecond=a\\\n  b\n# three\nthird=3"
    assert parse_properties(text) == [
        Property("first", "1", 4),
        Property("second", "ab", 5),
        Property("third", "3", 8),
    ]


PLAIN = st.text(st.characters(categories=["L", "N"]), min_size=1)


@given(
    st.lists(st.tuples(PLAIN, PLAIN)), st.sampled_from(["\n", "\r", "\r\n"]), st.sampled_from(["=", ":", " = "])
)
def test_what_is_written_is_read(pairs: list[tuple[str, str]], end: str, sign: str) -> None:
    text = end.join(f"{key}{sign}{value}" for key, value in pairs)
    expected = [Property(key, value, line) for line, (key, value) in enumerate(pairs, start=1)]
    assert parse_properties(text) == expected


@given(st.text())
def test_any_text_is_a_properties_file(text: str) -> None:
    assert all(one.line >= 1 for one in parse_properties(text))
