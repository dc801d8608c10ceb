"""The comparison with psql, on a script of our own that has a little of everything."""

import shutil
from pathlib import Path

import pytest

from conformance import regression
from conformance.regression import Sent, compare, data_spans, find_loss, neutralise
from taxiway.model.script import ReplacedText, Statement
from taxiway.sql.statements import split

SCRIPT = r"""-- before
\set name value
CREATE TABLE t (a int, b text); -- behind

\d t
COPY t FROM stdin;
1	\N
2	it's
\.
COPY missing FROM stdin;
1;
\.
/* c; */ SELECT ';', $$;$$, E'\';' FROM t
\gx
SELECT :'name' \; SELECT 2;
SELEKT 1;
COPY t TO STDOUT;
SET standard_conforming_strings = off;
SELECT 'it\'s;';
RESET standard_conforming_strings;
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);
COPY t (a) FROM stdin; SELECT 1; COPY t (a) FROM stdin;
3
\.
4
\.
BEGIN;
SELECT 1/0;
SELECT 1;
ROLLBACK;
SELECT count(*) FROM t
"""


def statements(text: str) -> list[Statement]:
    return list(split(ReplacedText(text, text), path="x", server_version_num=170000))


@pytest.mark.skipif(not shutil.which("psql"), reason="psql is not on PATH")
def test_every_statement_does_what_it_does_with_psql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sample.sql").write_text(SCRIPT)
    assert regression.main([str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert "1 files: 19 statements equal (15 successful), 2 skipped, 0 different, 5 psql commands" in output
    assert "sample: SELECT :'name'" in output
    assert "sample: SKIPPED COPY t TO STDOUT" in output


def test_without_scripts_nothing_is_proven(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no script"):
        regression.main([str(tmp_path)])


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("\\set a b\nselect 1;", "\nselect 1;"),
        ("select 1 \\gset x_\nselect 2", "select 1 ;\nselect 2"),
        ("select 1\\; select 2;", "select 1; select 2;"),
        ("\\copy t from stdin csv\n1\n\\.\n", "COPY  t from stdin csv;\n1\n\\.\n"),
        ("\\copy t to 'f'\n", "\n"),
        ("copy t to stdout;", "SKIPPED copy t to stdout;"),
        ("copy t from stdin;\n\\d\n\\.\n\\d\n", "copy t from stdin;\n\\d\n\\.\n\n"),
    ],
)
def test_what_only_psql_understands_is_taken_out(script: str, text: str) -> None:
    assert neutralise(script).text == text


def test_a_loss_is_found() -> None:
    text = "select 1; /* c; */ select 2; -- d\ncopy t from stdin;\n1\n\\.\n"
    one, two, copy = statements(text)
    assert data_spans(text, [one, two, copy]) == {2: (text.index("1\n"), text.index("\\."))}
    assert find_loss(text, [one, two, copy]) is None
    assert (find_loss(text, [one, copy]) or "").startswith("lost: 'select 2;")
    assert (find_loss(text, [one, two]) or "").startswith("lost: 'copy t")
    assert (find_loss(text, [one, one, two, copy]) or "").startswith("doubled")


def test_a_difference_is_found() -> None:
    neutral = neutralise("\\set x 1\n")
    ours = [Sent("a", "00000"), Sent("b", "00000"), Sent("select :x", "42601"), Sent("d", "00000")]
    theirs = [Sent("a", "00000"), Sent("b", "42601"), Sent("select 1", "00000"), Sent("d;e", "00000")]
    tally = compare("file", neutral, ours[:2], theirs[:2])
    assert (tally.equal, len(tally.different)) == (1, 1)
    tally = compare("file", neutral, ours[2:3], theirs[2:3])
    assert (tally.skipped, tally.different) == (["file: select :x"], [])
    assert len(compare("file", neutral, ours[3:], theirs[3:]).different) == 1
