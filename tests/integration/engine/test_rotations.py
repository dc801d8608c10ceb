"""A rotation: server and secret change together, whatever stops it. The server is real."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest

import taxiway.project
from sandbox.password import make_password
from taxiway import errors
from taxiway.config.load import load
from taxiway.engine.roles import look_after_roles, migrate_with_roles
from taxiway.model.result import MigrateResult, RolesResult
from taxiway.model.role import PasswordRotated, PendingPassword, Role
from taxiway.model.settings import SecretReference
from taxiway.project import open_project
from taxiway.reports.log import describe
from taxiway.reports.roles import describe_change
from taxiway.secret import Redactor, Secret
from tests.support.pytest_sandbox import Database
from tests.support.workspace import Workspace

OLD, NEW = make_password(), make_password()
SECRET = SecretReference("users/app", "password")


@dataclass
class FakeSecret:
    """A secret with a current and perhaps a pending password, and what happens when the stage is moved."""

    current: str
    pending: str | None = None
    before_move: Callable[[], None] = lambda: None
    after_move: Callable[[], None] = lambda: None
    moves: int = 0

    def finish(self) -> None:
        self.before_move()
        assert self.pending
        self.current, self.pending = self.pending, None
        self.moves += 1
        self.after_move()


@dataclass
class FakeRotations:
    """Secrets by name."""

    secrets: dict[str, FakeSecret] = field(default_factory=dict)
    denied: bool = False

    def find_pending(self, secret: SecretReference) -> PendingPassword | None:
        if self.denied:
            raise errors.AwsAccessDenied("AWS denied it.", action="a", resource="r")
        pending = self.secrets[secret.secret_id].pending
        return PendingPassword(secret, Secret(pending), "v2") if pending else None

    def read_current(self, secret: SecretReference) -> Secret:
        return Secret(self.secrets[secret.secret_id].current)

    def finish(self, pending: PendingPassword) -> None:
        self.secrets[pending.secret.secret_id].finish()


@dataclass(frozen=True, slots=True)
class Place(Workspace):
    """A project, one role of which has a secret. ``log`` is that of the last command."""

    log: list[str] = field(default_factory=list)

    @property
    def role(self) -> str:
        return f"app_{self.database.name}"

    def declared(self, password: str = OLD, **more: object) -> Role:
        made = Role(name=self.role, password=Secret(password), secret=SECRET, login=True)
        return replace(made, **more)  # type: ignore[arg-type]

    @contextmanager
    def opened(self) -> Iterator[taxiway.project.Project]:
        loaded = load({}, environ=self.environment, directory=self.directory, secret=lambda _id, _key: "")
        self.log.clear()
        with open_project(
            loaded.settings,
            base=self.directory,
            redact=Redactor(),
            on_event=lambda event: self.log.append(str(describe(event))),
        ) as project:
            yield project

    def look_after(self, rotations: FakeRotations, *roles: Role, carry_out: bool = True) -> RolesResult:
        with self.opened() as project:
            tools = replace(project.tools, rotations=rotations)
            return look_after_roles(
                project.scope, roles or [self.declared()], project.settings, tools, carry_out=carry_out
            )

    def migrate_with(self, rotations: FakeRotations, *roles: Role) -> MigrateResult:
        with self.opened() as project:
            tools = replace(project.tools, rotations=rotations)
            return migrate_with_roles(project.scope, roles, project.settings, tools)

    def has(self, password: str, role: str | None = None) -> bool:
        try:
            self.database.server.connect(role or self.role, password, self.database.name).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Place:
    made = Place(database, tmp_path)
    made.scripts.mkdir()
    made.look_after(FakeRotations({"users/app": FakeSecret(OLD)}))
    assert made.has(OLD)
    return made


def rotating(**more: object) -> FakeRotations:
    return FakeRotations({"users/app": FakeSecret(OLD, NEW, **more)})  # type: ignore[arg-type]


def refuse() -> None:
    raise errors.AwsUnreachable("AWS did not answer.")


def interrupt() -> None:
    raise KeyboardInterrupt


def test_secret_and_server_change_together(place: Place) -> None:
    rotations = rotating(before_move=lambda: None)
    result = place.look_after(rotations)
    assert [describe_change(change, is_done=True) for change in result.changes] == [
        f"Rotated the password of role \"{place.role}\", and with it secret 'users/app'"
    ]
    assert (rotations.secrets["users/app"].current, place.has(NEW), place.has(OLD)) == (NEW, True, False)


def test_the_stage_is_moved_when_the_server_has_accepted_it_and_before_that_holds(place: Place) -> None:
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        seen.append((place.has(OLD), place.has(NEW)))

    place.look_after(rotating(before_move=look, after_move=look))
    assert seen == [(True, False), (True, False)]
    assert place.has(NEW)


def test_a_stage_that_cannot_be_moved_leaves_both_as_they_were(place: Place) -> None:
    rotations = rotating(before_move=refuse)
    with pytest.raises(errors.AwsUnreachable):
        place.look_after(rotations)
    assert (rotations.secrets["users/app"].current, place.has(OLD)) == (OLD, True)


def test_a_server_that_refuses_leaves_the_stage_where_it_is(place: Place) -> None:
    rotations = rotating()
    with place.database.server.admin(place.database.name) as connection:
        connection.execute(f"ALTER ROLE {place.database.user} NOCREATEROLE".encode())
    with pytest.raises(errors.PermissionDenied, match="change role"):
        place.look_after(rotations)
    assert (rotations.secrets["users/app"].moves, place.has(OLD)) == (0, True)


def test_a_run_that_is_cut_off_behind_the_move_is_put_right_by_the_next_one(place: Place) -> None:
    rotations = rotating(after_move=interrupt)
    with pytest.raises(KeyboardInterrupt):
        place.look_after(rotations)
    assert (rotations.secrets["users/app"].current, place.has(OLD), place.has(NEW)) == (NEW, True, False)
    place.look_after(rotations, place.declared(NEW))
    assert place.has(NEW)


def test_a_run_that_has_read_the_password_before_another_rotated_it_does_not_set_it_back(place: Place) -> None:
    rotations = rotating()
    place.look_after(rotations)
    result = place.look_after(rotations, place.declared(OLD))
    assert result.changes == ()
    assert place.has(NEW)


def test_a_role_that_the_migrations_want_is_rotated_behind_them_only(place: Place) -> None:
    """Before them, the password that was read would be set again behind them."""
    (place.scripts / "V1__t.sql").write_text("CREATE TABLE t (i int);")
    rotations = rotating()
    result = place.migrate_with(rotations, place.declared(before_migrations=True))
    assert [type(change) for change in result.roles or ()] == [PasswordRotated]
    assert (rotations.secrets["users/app"].current, place.has(NEW)) == (NEW, True)


def test_a_role_that_is_not_there_yet_is_made_with_the_new_password(place: Place) -> None:
    name = f"late_{place.database.name}"
    rotations = rotating()
    place.look_after(rotations, place.declared(name=name))
    assert (place.has(NEW, name), rotations.secrets["users/app"].current) == (True, NEW)


def test_a_rotation_that_fails_does_not_take_back_another_one(place: Place) -> None:
    second = SecretReference("users/second", "password")
    name = f"second_{place.database.name}"
    rotations = rotating()
    rotations.secrets[second.secret_id] = FakeSecret(OLD, NEW, before_move=refuse)
    roles = (place.declared(), place.declared(name=name, secret=second))
    with pytest.raises(errors.AwsUnreachable):
        place.look_after(rotations, *roles)
    assert (place.has(NEW), place.has(OLD, name)) == (True, True)
    assert [rotations.secrets[one].current for one in ("users/app", "users/second")] == [NEW, OLD]


def test_a_plan_shows_a_rotation_and_changes_nothing(place: Place) -> None:
    rotations = rotating()
    [change] = place.look_after(rotations, carry_out=False).changes
    assert describe_change(change, is_done=False).startswith("Rotate the password of role")
    assert (rotations.secrets["users/app"].moves, place.has(OLD)) == (0, True)


def test_a_policy_for_the_current_version_only_gives_a_warning(place: Place) -> None:
    result = place.look_after(FakeRotations({"users/app": FakeSecret(OLD)}, denied=True))
    assert result.changes == ()
    assert any("Nobody knows whether a rotation is under way" in line for line in place.log)
