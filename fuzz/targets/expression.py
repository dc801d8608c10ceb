"""Expressions of ``shouldExecute``.

Holds: an outcome or a ValueError; parentheses around all change nothing; ``|| false`` behind it and ``true &&``
before it in parentheses change nothing.
"""

from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, repeated
from taxiway.scan.expression import evaluate


def check(data: bytes) -> None:
    """See the top of this module."""
    expression = Draw(data).text()
    outcome = _outcome(expression)
    assert _outcome(f"({expression})") is outcome or outcome is None, "parentheses change it"
    assert _outcome(f"{expression} || false") is outcome or outcome is None, "|| false changes it"
    assert _outcome(f"true && ({expression})") is outcome or outcome is None, "true && changes it"


def _outcome(expression: str) -> bool | None:
    try:
        return evaluate(expression)
    except ValueError as error:
        assert str(error)
        return None


TARGET: Final = Target(
    name="expression",
    check=check,
    modules=("taxiway.scan.expression",),
    seeds=tuple(
        settings_and(text)
        for text in (
            *(
                "true",
                "FALSE",
                "a==a",
                "a!=b && (b==b || false)",
                "((true))",
                "(true) && x",
                "a == b == c",
                "",
                "()",
            ),
            *("==", "a(b)", "(a", "a)", "true ||", "true && false || true", "(a==b)==c", "x y"),
        )
    ),
    words=("true", "false", "&&", "||", "==", "!=", "(", ")", " ", "a", "b"),
    shapes={
        "opening parentheses": repeated("("),
        "closing parentheses": repeated(")"),
        "pairs": repeated("()"),
        "conjunctions": repeated("true&&", after="true"),
        "alternatives": repeated("a==b||", after="true"),
        "comparisons": repeated("a==", after="a"),
        "marks of exclamation": repeated("!"),
        "ampersands": repeated("&"),
        "letters": repeated("a"),
        "nested": lambda times: b"(" * times + b"true" + b")" * times,
    },
)
