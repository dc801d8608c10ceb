"""Expressions of ``shouldExecute``."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.scan.expression import evaluate


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ("true", True),
        ("FALSE", False),
        (" True ", True),
        ("a==a", True),
        ("a==b", False),
        ("a!=b", True),
        ("a != a", False),
        ("a == A", False),
        ("two words == two words", True),
        ("==", True),
        ("==a", False),
        ("a!=", True),
        ("true==true", True),
        ("true && false", False),
        ("true || false", True),
        ("true || true && false", True),
        ("(true || true) && false", False),
        ("true && (false || a==a)", True),
        ("((a==b) || (b==b)) && !x != x", True),
        ("x & y | z = q == x & y | z = q", True),
        ("dev==dev&&(1==2||2==2)", True),
    ],
)
def test_the_truth_of_an_expression(expression: str, truth: bool) -> None:
    assert evaluate(expression) is truth


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "an operand is missing"),
        ("yes", "'yes' is neither true nor false"),
        ("a==b &&", "an operand is missing"),
        ("|| true", "an operand is missing"),
        ("()", "an operand is missing"),
        ("true || nonsense", "'nonsense' is neither"),
        ("false && nonsense", "'nonsense' is neither"),
        ("(true", "not closed"),
        ("true)", "not opened"),
        ("a (true)", "an operator is missing before '('"),
        ("(true)(true)", "an operator is missing before '('"),
        ("(true) a", "without an operator"),
        ("a==b==c", "only two texts"),
        ("(true)==true", "only two texts"),
        ("!true", "neither true nor false"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        evaluate(expression)
    assert reason in str(caught.value)


LEAVES = st.sampled_from(
    [("true", True), ("false", False), ("a==a", True), ("a==b", False), ("x!=y", True), ("x != x", False)]
)


def joined(parts: st.SearchStrategy[tuple[str, bool]]) -> st.SearchStrategy[tuple[str, bool]]:
    def both(left: tuple[str, bool], right: tuple[str, bool], operator: str) -> tuple[str, bool]:
        truth = left[1] and right[1] if operator == "&&" else left[1] or right[1]
        return f"({left[0]}) {operator}({right[0]} )", truth

    return st.builds(both, parts, parts, st.sampled_from(["&&", "||"]))


@given(st.recursive(LEAVES, joined))
def test_any_tree_of_comparisons_has_the_truth_of_its_parts(tree: tuple[str, bool]) -> None:
    assert evaluate(tree[0]) is tree[1]


@given(st.lists(st.lists(LEAVES, min_size=1), min_size=1))
def test_and_binds_stronger_than_or(alternatives: list[list[tuple[str, bool]]]) -> None:
    text = " || ".join("&&".join(part for part, _ in parts) for parts in alternatives)
    assert evaluate(text) is any(all(truth for _, truth in parts) for parts in alternatives)


@given(st.text("ab=!&|() truefals"))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(evaluate(text), bool)


def test_deep_parentheses_are_no_trouble() -> None:
    depth = 20_000
    assert evaluate("(" * depth + "a==a" + ")" * depth)
