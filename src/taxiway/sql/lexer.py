"""Find the tokens of PostgreSQL's SQL, and nothing of its grammar.

Terminology:

blank
    A character up to U+0020. Beyond ASCII nothing is blank: the server takes a no-break space for a letter.
word
    A keyword or a name without quotes.
mark
    A parenthesis, semicolon or backslash that is code: not in a quotation, not in a comment. Such a backslash
    begins a command of psql: it belongs to no operator (psqlscan.l).
standard string
    ``'…'`` while ``standard_conforming_strings`` is on, the default since PostgreSQL 9.1: a backslash in it means
    nothing. While it is off, ``'…'`` is read like ``E'…'``.

The rules are those of the server's scanner (scan.l) and of psql's (psqlscan.l), not those of Flyway's parser, for
which ``$1`` begins a dollar quote, for example.

Whatever is long (quotations, comments, the rows of an INSERT) is passed over inside one regular expression.
Every repetition in it is possessive, so that it never goes back and time grows with the length of the text only.
"""

import re
from collections.abc import Iterator
from functools import cache
from string import ascii_letters, digits
from typing import Final, NamedTuple

from taxiway.errors import UnterminatedText
from taxiway.model.script import ReplacedText, Replacement

BLANKS: Final = "".join(map(chr, range(0x21)))

_COMMENT: Final = r"--[^\n\r]*+"
_BETWEEN: Final = rf"(?:[\x00-\x20]++|{_COMMENT})*+"

_LETTERS: Final = ascii_letters + "_"


def _ascii_without(characters: str) -> str:
    """The ASCII characters but these, as the inside of a character class.

    Everything beyond ASCII is a letter, so letters are best told by what they are not: a class of ASCII characters
    is compiled and matched much faster than one that reaches up to U+10FFFF.
    """
    return re.escape("".join(c for c in map(chr, range(0x80)) if c not in characters))


_LETTER: Final = f"[^{_ascii_without(_LETTERS)}]"
# A string may have one of these before it; N before one is a word of its own to the server, too.
_PREFIXES: Final = "bBeEuUxX"
_OTHER_LETTER: Final = f"[^{_PREFIXES}{_ascii_without(_LETTERS)}]"
_REST: Final = f"[^{_ascii_without(_LETTERS + digits + '$')}]*+"
_REST_OF_TAG: Final = f"[^{_ascii_without(_LETTERS + digits)}]*+"
# A prefix belongs to the string, even if that string never ends.
_WORD: Final = f"{_OTHER_LETTER}{_REST}|(?:[bBeExX](?!')|[uU](?!&')){_REST}"
# Letters right behind a number are not a word of their own: the server (since 15) calls them trailing junk.
_JUNK: Final = f"(?:{_LETTER}{_REST})?+"
_NUMBER: Final = rf"[0-9]++(?:\.(?={_LETTER}))?+{_JUNK}"
_PARAMETER: Final = rf"\$[0-9]++{_JUNK}"

_QUOTED_NAME: Final = r'"[^"]*+(?:""[^"]*+)*+"'
_STRING: Final = r"'[^']*+(?:''[^']*+)*+'"
_ESCAPES: Final = r"'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'"
# Behind a line break a string goes on, by the rules it began with: E'a' <line break> 'it\'s' is one string.
_LINE_BREAK: Final = rf"(?:[ \t\f\v]++|{_COMMENT})*+[\n\r](?:[ \t\f\v\n\r]++|{_COMMENT}[\n\r])*+"
_CONTINUED_ESCAPES: Final = rf"{_ESCAPES}(?:{_LINE_BREAK}{_ESCAPES})*+(?!{_LINE_BREAK}')"
_ESCAPE_STRING: Final = rf"[eE]{_CONTINUED_ESCAPES}"
# Here a backslash never means anything while the text is cut into tokens. A quote in bits cannot be doubled.
_BITS_OR_UNICODE: Final = rf"[bBxX]'[^']*+'|[uU]&{_STRING}"

_SPECIAL: Final = "'\"$;()/-\\"


class _Patterns(NamedTuple):
    """``token`` reads one token; ``up_to_mark`` passes over everything that holds no mark."""

    token: re.Pattern[str]
    up_to_mark: re.Pattern[str]


@cache
def _patterns(*, standard_strings: bool) -> _Patterns:
    """The patterns for one setting of ``standard_conforming_strings``."""
    plain = _STRING if standard_strings else _CONTINUED_ESCAPES
    no_mark = f"{_STRETCH}|{_no_mark(plain)}" if standard_strings else _no_mark(plain)
    # Deep enough for a row of an INSERT with function calls in it, in one go.
    up_to_mark = rf"(?:{no_mark}|{_group(no_mark, 3)})*+"
    return _Patterns(re.compile(_token(plain), re.DOTALL), re.compile(up_to_mark, re.DOTALL))


def _token(plain: str) -> str:
    """One token; what cannot be told by a pattern is the last group: dollar quotes, comments, open quotes."""
    return (
        _BETWEEN
        + rf"(?:([uU]&{_QUOTED_NAME}|{_QUOTED_NAME})|({_BITS_OR_UNICODE}|[nN]{plain}|{plain}|{_ESCAPE_STRING})"
        + rf"""|({_WORD}|{_NUMBER}|{_PARAMETER}|[^$'"/{_PREFIXES}])|(.))"""
    )


_QUOTED_NAME_GROUP, _STRING_GROUP, _SHORT_GROUP = range(1, 4)


# The rows of an INSERT in few steps: code up to a standard string, and the string; or code up to what no word or
# number goes on with. Only before a quote or a dollar it matters where these begin: in 1e'\' the e is no prefix.
# After such an e, and before a dollar or a letter beyond ASCII, text is read word by word.
_CODE: Final = f"[{_ascii_without(_SPECIAL)}]"
_STRETCH: Final = rf"""{_CODE}{_CODE}*+(?:-(?!-){_CODE}*+)?+(?:(?<![eE]){_STRING}|(?=["();/\\-]|\Z))"""
# All of them at once, so that a stretch that comes to nothing is not tried again behind each.
_WORDS: Final = f"(?:[{_ascii_without(_LETTERS + digits + _SPECIAL)}]++|{_NUMBER}|{_WORD})++"


def _no_mark(plain: str) -> str:
    """One piece of text without a mark.

    The most frequent in big scripts come first, and each begins with a character that tells it from most others,
    so that a wrong one is left at once. Comments begin inside operators, too.
    """
    quoted = f"{_ESCAPE_STRING}|{_BITS_OR_UNICODE}|{_QUOTED_NAME}"
    return rf"{plain}|{_WORDS}|{quoted}|{_COMMENT}|-|/(?!\*)|{_PARAMETER}"


def _group(no_mark: str, depth: int) -> str:
    """A pair of parentheses, with up to so many around one another in it."""
    inner = f"|{_group(no_mark, depth - 1)}" if depth else ""
    return rf"\((?:{no_mark}{inner})*+\)"


_DOLLAR_TAG: Final = re.compile(rf"\$(?:{_LETTER}{_REST_OF_TAG})?+\$")
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")

STRING: Final = "'"
QUOTED_NAME: Final = '"'

# A quotation that has an end is passed over whole. One whose first character is met alone has none.
_STRING_NEVER_CLOSED: Final = ("string", "' (inside a string, a quote is written twice)", "'")
_NEVER_CLOSED: Final = {
    **dict.fromkeys(f"'{_PREFIXES}", _STRING_NEVER_CLOSED),
    '"': ("quoted name", '" (inside a name, a quote is written twice)', '"'),
}
# What a value may contain that opens or closes a quotation
_NAMES: Final = {"'": "quote (')", '"': 'double quote (")', "$": "dollar quote"}


class Token(NamedTuple):
    """A token and where it stands.

    ``form`` is what a grammar would look at: a word in capital letters, :data:`STRING` for a string in any
    notation, :data:`QUOTED_NAME` for a name in quotes, and the text of anything else: a number, a parameter, one
    character of an operator.
    """

    form: str
    start: int
    end: int


class Lexer:
    """Reads one text, from whatever offset it is asked to.

    Attributes:
        end: Where the text ends for this lexer; may be set to an earlier offset for a while.
    """

    def __init__(self, replaced: ReplacedText, *, path: str, standard_strings: bool = True) -> None:
        self.text = replaced.text
        self.end = len(self.text)
        self._replaced = replaced
        self._path = path
        self.read_strings(standard=standard_strings)

    def read_strings(self, *, standard: bool) -> None:
        """From now on, read ``'…'`` as the server does with this ``standard_conforming_strings``."""
        self._patterns = _patterns(standard_strings=standard)

    def tokens(self, position: int) -> Iterator[Token]:
        """Every token from here on; blanks and comments are none.

        Raises:
            UnterminatedText: A quotation or comment is opened and never closed.
        """
        pattern = self._patterns.token
        while match := pattern.match(self.text, position, self.end):
            group = match.lastindex
            start, position = match.span(group or 0)
            if group == _SHORT_GROUP:
                yield Token(_form(match[group]), start, position)
            elif group == _STRING_GROUP:
                yield Token(STRING, start, position)
            elif group == _QUOTED_NAME_GROUP:
                yield Token(QUOTED_NAME, start, position)
            else:
                position = self._end_of_long(start)
                if not self.text.startswith("/*", start):
                    yield Token(STRING if position - start > 1 else match[0][-1], start, position)

    def find_mark(self, position: int) -> int:
        """The next mark from here on, or the end of the text.

        Pairs of parentheses that hold no semicolon may be passed over whole. Much faster than :meth:`tokens`.

        Raises:
            UnterminatedText: A quotation or comment is opened and never closed.
        """
        while match := self._patterns.up_to_mark.match(self.text, position, self.end):
            position = match.end()
            if position == self.end or self.text[position] in "();\\":
                break
            position = self._end_of_long(position)
        return position

    def unterminated(self, what: str, closing: str, position: int, mark: str = "") -> UnterminatedText:
        """The error for something that opens here and is never closed.

        It names the nearest placeholder whose value may be the reason, because it holds an odd number of the marks
        that open and close the thing. The value itself is not shown: it may be secret.
        """
        place = self._replaced.locate(position)
        message, hint = f"The {what} that begins here is never closed.", f"Close it with {closing}."
        if mark and (suspect := self._find_suspect(mark, position)):
            name = self._replaced.source[suspect.source_start : suspect.source_end]
            line = self._replaced.locate(suspect.start).line
            message = f"{message} The value of the placeholder {name} in line {line} contains a {_NAMES[mark[0]]}."
            hint = f"Give {name} a value without it, or with the quote written twice where it belongs to the text."
        return UnterminatedText(message, path=self._path, line=place.line, column=place.column, hint=hint)

    def _find_suspect(self, mark: str, position: int) -> Replacement | None:
        """The replacement nearest to a position that may have opened or closed what it should not."""
        suspects = (r for r in self._replaced.replacements if self.text.count(mark, r.start, r.end) % 2)
        return min(suspects, key=lambda r: max(r.start - position, position - r.end), default=None)

    def _end_of_long(self, position: int) -> int:
        """The end of the dollar quote or block comment that begins here; of the character, if none does."""
        if tag := _DOLLAR_TAG.match(self.text, position, self.end):
            return self._end_of_dollar_quote(tag[0], position)
        if self.text.startswith("/*", position):
            return self._end_of_block_comment(position)
        if (character := self.text[position]) in _NEVER_CLOSED:
            what, closing, mark = _NEVER_CLOSED[character]
            raise self.unterminated(what, closing, position, mark)
        return position + 1

    def _end_of_dollar_quote(self, tag: str, position: int) -> int:
        closing = self.text.find(tag, position + len(tag), self.end)
        if closing < 0:
            # The tag is not shown: it may come from a value that was put in for a placeholder.
            raise self.unterminated("dollar quotation", "the same tag", position, tag)
        return closing + len(tag)

    def _end_of_block_comment(self, position: int) -> int:
        depth = 0
        for edge in _COMMENT_EDGE.finditer(self.text, position, self.end):
            depth += 1 if edge[0] == "/*" else -1
            if depth == 0:
                return edge.end()
        raise self.unterminated("comment", "*/ (comments nest: one for each /*)", position)


def _form(text: str) -> str:
    # Keywords are ASCII. Python's capital of a dotless i is, too, though that letter is not.
    return text.upper() if text.isascii() else text
