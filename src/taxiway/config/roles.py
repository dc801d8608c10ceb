"""``[roles.<name>]`` of ``taxiway.toml``: database users that the project declares.

Adding a key is adding a row to :data:`ROLE_KEYS`, and its field in :class:`taxiway.model.role.Role`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from taxiway import errors
from taxiway.config.effective import MASKED, EffectiveOption
from taxiway.config.resolvers import parse_template
from taxiway.config.template import Reference, ReferenceReader, Template
from taxiway.model.role import Grants, Role
from taxiway.model.settings import SecretReference
from taxiway.nearest import find_nearest
from taxiway.secret import Secret, reveal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taxiway.config.keys import KeyCheck

# PostgreSQL manual, SQL syntax, identifiers (NAMEDATALEN)
_LONGEST_NAME: Final = 63
# Names that the server keeps for itself (PostgreSQL manual, CREATE ROLE), and those of Amazon RDS.
# What can be said in UTC on every machine
_FIRST_YEAR: Final = 1970
_RESERVED: Final = re.compile(r"pg_.*|rds_.*|rdsadmin|public|none", re.IGNORECASE | re.DOTALL)
_SECRET_ID: Final = re.compile(r"(?P<id>[A-Za-z0-9/_+=.@:-]+)(?:#(?P<key>[^#]+))?")
_PASSWORD_KEY: Final = "password"  # noqa: S105 - the name of a key
_USER_KEY: Final = "username"


class RoleKey(NamedTuple):
    """A key of a role, for the code and for the reference page. ``expected`` names its type."""

    type: type
    expected: str
    help: str


ROLE_KEYS: Final[Mapping[str, RoleKey]] = {
    "secret": RoleKey(
        str,
        "text in quotes",
        "Name or ARN of the secret with the role's password, as `{username, password}`; `ID#KEY` for another "
        "key than `password`. It may have references to variables.",
    ),
    "password": RoleKey(
        str,
        "text in quotes",
        "The password as a reference, in place of `secret`: `${secret:ID#KEY}`, `${env:NAME}`.",
    ),
    "grants": RoleKey(
        str,
        "text in quotes",
        "What the role may do: `read`, `write`, `all` or `none`. Without it, privileges are left alone.",
    ),
    "schemas": RoleKey(
        list, "a list of texts", "The schemas that `grants` is about. Without it: all managed ones."
    ),
    "member_of": RoleKey(list, "a list of texts", "Roles that it is made a member of. Other memberships stay."),
    "login": RoleKey(
        bool,
        "true or false",
        "Whether the role may log in. A role with a password may, and one that is created, too.",
    ),
    "connection_limit": RoleKey(
        int, "a whole number", "How many connections it may have at a time; `-1` for any number."
    ),
    "valid_until": RoleKey(
        datetime,
        "a date and time with its offset",
        "When its password ends, as `2027-01-31T12:00:00Z`, without quotes.",
    ),
    "before_migrations": RoleKey(
        bool,
        "true or false",
        "Look after the role before the migrations as well, because they name it. Without it only behind them, so "
        "that a migration may create it.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredRole:
    """A role as a file declares it, with its references not looked up."""

    name: str
    origin: str
    values: Mapping[str, Any] = field(repr=False)
    secret: Template | None = None
    password: Template | None = None

    def resolve(self, read: ReferenceReader) -> Role:
        """The role, its password read.

        Raises:
            InvalidOption: The secret is that of another user, or its password is empty.
            TaxiwayError: Whatever ``read`` raises.
        """
        values, password = self.values, self._read_password(read)
        grants = values.get("grants")
        return Role(
            name=self.name,
            origin=self.origin,
            password=password,
            secret=self.find_secret(read),
            grants=Grants(grants) if grants is not None else None,
            schemas=tuple(values["schemas"]) if "schemas" in values else None,
            member_of=tuple(values.get("member_of", ())),
            # What else would the password be for?
            login=values.get("login", None if password is None else True),
            connection_limit=values.get("connection_limit"),
            valid_until=values.get("valid_until"),
            before_migrations=values.get("before_migrations", False),
        )

    def find_secret(self, read: ReferenceReader) -> SecretReference | None:
        """The secret that is named as the role's own, and the key of its password; only variables are looked up.

        Raises:
            InvalidOption: That is no name of a secret.
            TaxiwayError: Whatever ``read`` raises.
        """
        if self.secret is None:
            return None
        origin = f"{self.origin}.secret"
        found = _SECRET_ID.fullmatch(reveal(self.secret.fill(read, origin)))
        if not found:
            raise _invalid(origin, "that is no name of a secret", 'Write "ID" or "ID#KEY".')
        return SecretReference(found["id"], found["key"] or _PASSWORD_KEY)

    def effective(self) -> Iterator[EffectiveOption]:
        """Its lines of ``taxiway config``."""
        for key, value in self.values.items():
            is_secret = key == _PASSWORD_KEY
            yield EffectiveOption(
                key=f"roles.{self.name}.{key}",
                value=MASKED if is_secret else _shown(value),
                origin=f"{self.origin}.{key}",
                is_secret=is_secret,
            )

    def _read_password(self, read: ReferenceReader) -> Secret | None:
        if (secret := self.find_secret(read)) is not None:
            password = self._read_secret(secret, read)
        elif self.password is not None:
            password = self.password.fill(read, f"{self.origin}.password")
        else:
            return None
        text = reveal(password)
        if not text or "\0" in text:
            fault = "is empty" if not text else "has a NUL character"
            raise _invalid(self.origin, f"the password {fault}", "Give the role another password.")
        return Secret(text)

    def _read_secret(self, secret: SecretReference, read: ReferenceReader) -> str | Secret:
        origin = f"{self.origin}.secret"
        password = read(Reference("secret", *secret), origin)
        if secret.key == _PASSWORD_KEY:
            self._refuse_other_user(secret.secret_id, read, origin)
        return password

    def _refuse_other_user(self, secret_id: str, read: ReferenceReader, origin: str) -> None:
        try:
            user = read(Reference("secret", secret_id, _USER_KEY), origin)
        except errors.SecretMalformed:
            return  # it has none
        if reveal(user) != self.name:
            hint = f"Name the secret of '{self.name}', or write [roles.{user}]."
            raise _invalid(origin, f"the secret is that of user '{user}'", hint)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- parsing


def check_roles(document: Mapping[str, object], file: str, check: KeyCheck) -> None:
    """Note every key of a role that nobody knows.

    Raises:
        InvalidOption: What should be a table is none.
    """
    for name, table in _tables(document, file):
        for key in table:
            if key not in ROLE_KEYS:
                near = check.suggest(lambda key=key: find_nearest(key, ROLE_KEYS))  # type: ignore[misc]
                check.unknown(f"roles.{name}.{key}", f"roles.{name}.{near}" if near else None)


def parse_roles(document: Mapping[str, object], file: str) -> tuple[DeclaredRole, ...]:
    """The roles that a file declares, in its order. References are checked and not looked up.

    Raises:
        InvalidOption: A name that no role may have, a value of the wrong type, a password that is not a reference.
        UnknownResolver: A reference whose resolver does not exist.
    """
    return tuple(_parse(name, table, f"{file}: roles.{name}") for name, table in _tables(document, file))


def _tables(document: Mapping[str, object], file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    roles = document.get("roles", {})
    if not isinstance(roles, dict):
        raise _invalid(f"{file}: roles", "expected a table", "Write [roles.NAME] on a line of its own.")
    for name, table in roles.items():
        if not isinstance(table, dict):
            hint = f"Write [roles.{name}] on a line of its own."
            raise _invalid(f"{file}: roles.{name}", "expected a table", hint)
        yield name, table


def _parse(name: str, table: Mapping[str, Any], origin: str) -> DeclaredRole:
    _check_name(name, origin)
    for key, value in table.items():
        _check_value(key, value, f"{origin}.{key}")
    _check_together(table, origin)
    return DeclaredRole(
        name=name,
        origin=origin,
        values=table,
        secret=_template(table, "secret", origin),
        password=_template(table, "password", origin),
    )


def _check_name(name: str, origin: str) -> None:
    if _RESERVED.fullmatch(name):
        reason = f"'{name}' is a name of the server's own roles"
        raise _invalid(origin, reason, "Declare roles of yours only; member_of may name the server's.")
    if not name or "\0" in name or len(name.encode()) > _LONGEST_NAME:
        reason = f"names of roles have 1 to {_LONGEST_NAME} bytes"
        raise _invalid(origin, reason, "Give the role a shorter name." if name else "Give the role a name.")


def _check_value(key: str, value: object, origin: str) -> None:
    expected = ROLE_KEYS[key]
    # To Python, true is a number.
    if not isinstance(value, expected.type) or (expected.type is int and isinstance(value, bool)):
        raise _invalid(origin, f"expected {expected.expected}", _SEE)
    if isinstance(value, list) and not all(isinstance(item, str) and item for item in value):
        raise _invalid(origin, "expected a list of texts", _SEE)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise _invalid(origin, "the offset is missing", "Write Z for UTC behind it, or an offset like +02:00.")
    if isinstance(value, datetime) and not _FIRST_YEAR <= value.year < MAXYEAR:
        raise _invalid(origin, f"expected a year from {_FIRST_YEAR} to {MAXYEAR - 1}", _SEE)
    if key == "connection_limit" and isinstance(value, int) and not -1 <= value < 2**31:
        raise _invalid(origin, "expected a number from -1 on", _SEE)
    if key == "grants" and value not in {grants.value for grants in Grants}:
        near = find_nearest(str(value), [grants.value for grants in Grants])
        words = ", ".join(grants.value for grants in Grants)
        raise _invalid(origin, f"expected one of {words}", f"Did you mean '{near}'?" if near else _SEE)


_SEE: Final = "The section 'Database users' of docs/reference/configuration.md says what it accepts."


def _check_together(table: Mapping[str, Any], origin: str) -> None:
    if "secret" in table and "password" in table:
        raise _invalid(origin, "both secret and password are set", "Remove one of them.")
    if table.get("login") is False and ("secret" in table or "password" in table):
        raise _invalid(origin, "a role that may not log in needs no password", "Remove login, or the password.")
    if "schemas" in table and "grants" not in table:
        raise _invalid(origin, "schemas says where grants holds, and there is no grants", 'Add grants = "read".')


def _template(table: Mapping[str, Any], key: str, origin: str) -> Template | None:
    if key not in table:
        return None
    template = parse_template(table[key], origin=f"{origin}.{key}")
    resolvers = {reference.resolver for reference in template.references}
    if key == "password" and not resolvers:
        hint = 'Write secret = "ID", or password = "${secret:ID#KEY}" or "${env:NAME}".'
        raise _invalid(f"{origin}.password", "a password must not be written in this file", hint)
    if not resolvers <= ({"env"} if key == "secret" else {"env", "secret"}):
        allowed = "variables" if key == "secret" else "variables and secrets"
        raise _invalid(f"{origin}.{key}", f"only references to {allowed} can stand here", "Write ${env:NAME}.")
    return template


def _invalid(origin: str, phrase: str, hint: str) -> errors.InvalidOption:
    return errors.InvalidOption(f"{origin}: {phrase}.", hint=hint)
