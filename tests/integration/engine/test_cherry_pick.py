"""cherryPick on a real database."""

import pytest

from taxiway import errors
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

SCRIPTS = {f"V{number}__x.sql": f"CREATE TABLE t{number} (i int);" for number in (1, 2, 3)} | {
    "R__my_view.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;"
}


@pytest.fixture
def prepared(workspace: Workspace) -> Workspace:
    workspace.write(SCRIPTS)
    return workspace


def test_only_what_is_listed_runs_in_the_order_of_the_list(prepared: Workspace) -> None:
    assert prepared.migrate(cherry_pick=["3", "my view", "1"]).count == 3
    assert [row["script"] for row in prepared.history()] == ["V3__x.sql", "R__my_view.sql", "V1__x.sql"]
    assert prepared.migrate(cherry_pick=["3", "my view", "1"]).count == 0


def test_what_was_skipped_can_be_applied_out_of_order(prepared: Workspace) -> None:
    prepared.migrate(cherry_pick=["2"])
    assert prepared.states() == ["2 Success", "1 Ignored", "3 Pending", "my view Pending"]
    assert prepared.migrate(out_of_order=True).count == 3
    assert prepared.states() == ["2 Success", "1 Out of Order", "3 Success", "my view Success"]
    assert prepared.validate().successful


def test_a_late_one_that_is_listed_is_an_error_and_not_silence(prepared: Workspace) -> None:
    prepared.migrate(cherry_pick=["2"])
    before = fingerprint(prepared.database)
    with pytest.raises(errors.ValidationFailed, match="outOfOrder"):
        prepared.migrate(cherry_pick=["1"])
    assert fingerprint(prepared.database) == before
    assert prepared.migrate(cherry_pick=["1"], out_of_order=True).count == 1


def test_what_is_not_listed_is_not_checked(prepared: Workspace) -> None:
    prepared.migrate(cherry_pick=["1"])
    prepared.write({"V1__x.sql": "SELECT 1;"})
    assert prepared.migrate(cherry_pick=["2"]).count == 1
    assert prepared.validate(cherry_pick=["2"]).successful


def test_a_name_that_nobody_has_is_an_error_for_every_command(prepared: Workspace) -> None:
    before = fingerprint(prepared.database)
    for command in (prepared.migrate, prepared.info, prepared.validate, prepared.undo, prepared.repair):
        with pytest.raises(errors.CherryPickNotFound, match="'4'"):
            command(cherry_pick=["1", "4"])
    assert fingerprint(prepared.database) == before
