"""Every input that a person wrote for the fuzzer, or that it found and kept, still holds what its target promises."""

import pytest

from fuzz.corpus import read_corpus
from fuzz.targets import NAMES, get_target


@pytest.mark.parametrize("name", NAMES)
def test_every_input_of_the_corpus_holds_what_its_target_promises(name: str) -> None:
    target = get_target(name)
    for data in (*target.seeds, *read_corpus(name)):
        try:
            target.check(data)
        except BaseException as error:
            error.add_note(f"The input is {data!r}")
            raise


@pytest.mark.parametrize("name", NAMES)
def test_every_target_has_a_corpus_of_short_inputs(name: str) -> None:
    corpus = read_corpus(name)
    assert corpus
    assert len(set(corpus)) == len(corpus)
    assert max(map(len, corpus)) <= 256
