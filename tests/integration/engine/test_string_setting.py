"""Scripts and the server's ``standard_conforming_strings``: both must read a backslash the same way."""

from tests.support.workspace import Workspace

OLD_DUMP = """\
SET standard_conforming_strings = off;
SET escape_string_warning = off;
CREATE TABLE note (text text);
INSERT INTO note VALUES ('it\\'s; here');
"""


def test_a_script_may_switch_the_setting_off_for_itself(workspace: Workspace) -> None:
    workspace.write({"V1__dump.sql": OLD_DUMP})
    workspace.migrate()
    assert workspace.query("SELECT text FROM note") == [("it's; here",)]


def test_the_next_script_begins_with_what_the_session_began_with(workspace: Workspace) -> None:
    workspace.write({"V1__dump.sql": OLD_DUMP, "V2__plain.sql": "INSERT INTO note VALUES ('a\\'); SELECT '';"})
    workspace.migrate()
    assert workspace.query("SELECT text FROM note") == [("it's; here",), ("a\\",)]


def test_a_database_may_have_it_off(workspace: Workspace) -> None:
    with workspace.database.connect(autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{workspace.database.name}" SET standard_conforming_strings = off')
    workspace.write({"V1__old.sql": OLD_DUMP.partition("\n")[2]})
    workspace.migrate()
    assert workspace.query("SELECT text FROM note") == [("it's; here",)]
