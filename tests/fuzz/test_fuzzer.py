"""What the fuzzer is made of, as far as it needs no fuzzer."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import corpus
from fuzz.__main__ import dictionary_entry
from fuzz.coverage import measure
from fuzz.draw import Draw, settings_and
from fuzz.target import SECRET, check_error
from fuzz.targets import NAMES, get_target
from taxiway.errors import ScriptError
from taxiway.model.version import MigrationVersion


def test_choices_come_from_the_first_bytes_and_the_text_from_the_others() -> None:
    draw = Draw(settings_and("ä\udcff\0b", "21"))
    assert draw.choose("abc") == "c"
    assert draw.boolean()
    assert draw.texts() == ["ä\udcff", "b"]
    assert draw.text() == "ä\ufffd\0b"


def test_an_input_without_bytes_chooses_what_is_first() -> None:
    draw = Draw(b"")
    assert (draw.choose("abc"), draw.boolean(), draw.text()) == ("a", False, "")


@given(inputs=st.lists(st.binary(max_size=40), max_size=5))
def test_a_corpus_is_read_as_it_was_written(inputs: list[bytes]) -> None:
    written = corpus.render_corpus(inputs)
    assert set(corpus.parse_corpus(written)) == set(inputs)
    assert written.isascii()
    assert written.count("\n") == len(set(inputs))


def test_a_target_that_is_new_has_no_corpus() -> None:
    assert corpus.read_corpus("nothing_of_that_name") == ()


@pytest.mark.parametrize(
    ("word", "entry"), [("a b", '"a\\x20b"\n'), ('"', '"\\x22"\n'), ("\\", '"\\x5c"\n'), ("é", '"\\xc3\\xa9"\n')]
)
def test_a_word_is_written_as_the_fuzzer_reads_it(word: str, entry: str) -> None:
    assert dictionary_entry(word) == entry


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ScriptError("x", line=3), "line 3 of 2"),
        (ScriptError("x", line=2, column=4), "behind the end of its line"),
        (ScriptError(f"x {SECRET}"), "with a secret"),
        (ScriptError("x", hint=SECRET), "with a secret"),
        (ScriptError(" "), "without a message"),
    ],
)
def test_an_error_that_keeps_no_promise_is_noticed(error: ScriptError, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        check_error(error, "a\nbc")


def test_the_lines_of_functions_that_were_reached_are_told() -> None:
    def check(data: bytes) -> None:
        if data:
            MigrationVersion("1")

    module = "taxiway.model.version"
    nothing, something = (measure(check, [data], [module]) for data in (b"", b"x"))
    assert nothing.percent == 0
    assert 0 < something.percent < 100
    assert next(iter(something.missing())).startswith(f"{module}: ")


def test_every_module_of_targets_is_a_target() -> None:
    directory = Path(corpus.__file__).parent / "targets"
    assert {path.stem for path in directory.glob("*.py")} - {"__init__"} == set(NAMES)
    assert [get_target(name).name for name in NAMES] == list(NAMES)
