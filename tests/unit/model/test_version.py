"""Order, equality and notation of versions."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.model.version import MigrationVersion

VERSIONS = st.lists(st.integers(0, 12), min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from(["{}", "0{}"]).flatmap(
        lambda form: st.sampled_from("._").map(lambda dot: dot.join(form.format(part) for part in parts))
    )
)


@pytest.mark.parametrize("text", ["1", "01", "1.0", "1_0_0", "+1", "001.000"])
def test_zeros_at_the_ends_do_not_make_another_version(text: str) -> None:
    assert MigrationVersion(text) == MigrationVersion("1")
    assert hash(MigrationVersion(text)) == hash(MigrationVersion("1"))


def test_versions_are_ordered_as_numbers_part_by_part() -> None:
    texts = ["-2", "-1", "-1.1", "0", "0.1", "1", "1.0.1", "1.9", "1.10", "2", "20240101123456", "1" + "0" * 40]
    versions = [MigrationVersion(text) for text in texts]
    assert all(lower < higher for lower, higher in pairwise(versions))


@pytest.mark.parametrize(("raw", "text"), [("8_1", "8.1"), ("011.0", "011.0"), ("-1", "-1")])
def test_the_text_keeps_zeros_and_turns_underscores_into_dots(raw: str, text: str) -> None:
    version = MigrationVersion(raw)
    assert (str(version), version.raw) == (text, raw)


@pytest.mark.parametrize(
    "text", ["", "a", "1a", "1.", "1_", "1..2", ".1", "1.-2", "1 ", " 1", "1-2", "\u0661", "1\n", "1.+2"]
)
def test_what_is_not_a_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        MigrationVersion(text)


@given(VERSIONS, VERSIONS)
def test_exactly_one_of_lower_equal_higher_holds(left: str, right: str) -> None:
    a, b = MigrationVersion(left), MigrationVersion(right)
    assert [a < b, a == b, a > b].count(True) == 1
    assert (a != b) or hash(a) == hash(b)


@given(st.lists(VERSIONS, min_size=3, max_size=3))
def test_the_order_is_transitive(texts: list[str]) -> None:
    low, middle, high = sorted(map(MigrationVersion, texts))
    assert low <= middle <= high
    assert low <= high
