r"""COPY … FROM STDIN takes its data from the script."""

import pytest

import taxiway
from taxiway import errors
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

TABLE = "CREATE TABLE a (i int, t text);\n"


def copied(workspace: Workspace, script: str) -> list[tuple[object, ...]]:
    workspace.write({"V1__a.sql": TABLE + script})
    workspace.migrate()
    return workspace.query("SELECT i, t FROM a ORDER BY i")


def test_data_end_at_the_terminator_and_the_script_goes_on(workspace: Workspace) -> None:
    script = "COPY a (i, t) FROM STDIN;\n1\tone; 'two\n2\t\\N\n\\.\nINSERT INTO a VALUES (3, 'three');\n"
    assert copied(workspace, script) == [(1, "one; 'two"), (2, None), (3, "three")]


def test_data_may_be_csv_with_lines_in_quotes(workspace: Workspace) -> None:
    script = 'COPY a FROM STDIN WITH (FORMAT csv, HEADER);\ni,t\n1,"one\nand ""more"""\n2,\n\\.\n'
    assert copied(workspace, script) == [(1, 'one\nand "more"'), (2, None)]


def test_windows_line_ends_are_no_data(workspace: Workspace) -> None:
    script = "COPY a FROM STDIN;\n1\tone\n2\ttwo\n\\.\nSELECT 1;\n".replace("\n", "\r\n")
    assert copied(workspace, script) == [(1, "one"), (2, "two")]


def test_data_may_be_missing_or_end_with_the_file(workspace: Workspace) -> None:
    assert copied(workspace, "COPY a FROM STDIN;\n\\.\nCOPY a FROM STDIN;\n7\tseven\n") == [(7, "seven")]


def test_placeholders_are_replaced_in_data_too(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": f"{TABLE}COPY a FROM STDIN;\n1\t${{word}}é\n\\.\n"})
    workspace.migrate(placeholders={"word": "hello"})
    assert workspace.query("SELECT t FROM a") == [("helloé",)]


def test_much_data_is_sent_in_pieces(workspace: Workspace) -> None:
    lines = "".join(f"{number}\t{'ü' * 20}\n" for number in range(20_000))
    copied(workspace, f"COPY a FROM STDIN;\n{lines}\\.\n")
    assert workspace.query("SELECT count(*), sum(i), max(t) FROM a") == [(20_000, 199_990_000, "ü" * 20)]


def test_an_error_in_the_data_points_to_the_statement_and_tells_the_line_of_the_data(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": f"{TABLE}\n-- data\nCOPY a FROM STDIN;\n1\tone\nx\ttwo\n\\.\n"})

    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate()

    error = caught.value
    assert (error.line, error.sqlstate, error.rolled_back) == (4, "22P02", True)
    assert error.details["context"] == 'COPY a, line 2, column i: "x"'
    assert workspace.value("SELECT to_regclass('a') IS NULL")


def test_the_connection_lives_on_after_an_error_in_much_data(workspace: Workspace) -> None:
    lines = "".join(f"{number}\tx\n" for number in range(100_000))
    workspace.write({"V1__a.sql": f"{TABLE}COPY a FROM STDIN;\nx\ttwo\n{lines}\\.\n"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate()
    assert caught.value.sqlstate == "22P02"
    assert workspace.states() == ["1 Pending"]


@pytest.mark.parametrize("statement", ["COPY a TO STDOUT", "COPY (SELECT 1) TO STDOUT (FORMAT csv)"])
def test_copying_out_is_refused_before_anything_runs(workspace: Workspace, statement: str) -> None:
    workspace.write({"V1__a.sql": f"{TABLE}INSERT INTO a VALUES (1);\n{statement};\nSELECT 1;"})
    before = fingerprint(workspace.database)

    with pytest.raises(errors.ScriptError, match="COPY … TO STDOUT") as caught:
        workspace.migrate()

    assert (type(caught.value), caught.value.line) == (errors.ScriptError, 3)
    assert fingerprint(workspace.database) == before
