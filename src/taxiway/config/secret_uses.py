"""Which secrets a project refers to, and where: without looking any of them up."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from taxiway import errors
from taxiway.config.layers import Given
from taxiway.config.load import choose_values
from taxiway.config.roles import DeclaredRole
from taxiway.config.template import Reference, Template
from taxiway.model.stored_secret import PASSWORD_KEY, USER_KEY, Purpose, SecretsSettings, SecretUse
from taxiway.secret import Secret

_LOGIN: Final = "database.secret"


def find_secret_uses(
    settings: SecretsSettings,
    *,
    environ: Mapping[str, str],
    directory: Path,
    file: Path | None,
    environment: str | None,
) -> tuple[SecretUse, ...]:
    """Every use in the configuration that holds here, in the order: job, users, references.

    ``environment`` is that of the call; without it, the one that the configuration names.

    Raises:
        VariableNotSet: The name of a secret has a reference to a variable that is not set.
        ConfigError: A file cannot be used.
    """
    given, roles = choose_values(environ=environ, directory=directory, file=file, environment=environment)
    values = (use for one in given for use in _uses_of_value(one, environ))
    uses = (*_uses_of_job(settings), *(use for role in roles for use in _uses_of_role(role, environ)), *values)
    return tuple(dict.fromkeys(uses))


def _uses_of_job(settings: SecretsSettings) -> Iterator[SecretUse]:
    if settings.deploy_key_secret:
        yield SecretUse(
            secret_id=settings.deploy_key_secret, purpose=Purpose.DEPLOY_KEY, origin="deploy_key_secret"
        )
    if settings.registry_secret:
        for key in (USER_KEY, PASSWORD_KEY):
            yield SecretUse(
                secret_id=settings.registry_secret, purpose=Purpose.REGISTRY, origin="registry_secret", key=key
            )


def _uses_of_role(role: DeclaredRole, environ: Mapping[str, str]) -> Iterator[SecretUse]:
    named = role.find_secret(lambda reference, origin: _variable(reference, origin, environ))
    if named is not None:
        yield SecretUse(
            secret_id=named.secret_id,
            key=named.key,
            purpose=Purpose.DATABASE_USER,
            origin=f"{role.origin}.secret",
            user=role.name,
        )
    for reference in role.password.references if role.password else ():
        yield from _use(reference, f"{role.origin}.password")


def _uses_of_value(given: Given, environ: Mapping[str, str]) -> Iterator[SecretUse]:
    if given.option.field == _LOGIN:
        yield from _uses_of_login(given, environ)
        return
    parts = given.value if isinstance(given.value, tuple) else (given.value,)
    for part in parts:
        for reference in part.references if isinstance(part, Template) else ():
            yield from _use(reference, given.origin)


def _uses_of_login(given: Given, environ: Mapping[str, str]) -> Iterator[SecretUse]:
    value = given.value
    if isinstance(value, Template):
        value = value.fill(lambda reference, origin: _variable(reference, origin, environ), given.origin)
    if isinstance(value, str | Secret) and str(value):
        for key in (USER_KEY, PASSWORD_KEY):
            yield SecretUse(secret_id=str(value), key=key, purpose=Purpose.REFERENCE, origin=given.origin)


def _use(reference: Reference, origin: str) -> Iterator[SecretUse]:
    if reference.resolver == "secret":
        yield SecretUse(secret_id=reference.name, key=reference.key, purpose=Purpose.REFERENCE, origin=origin)


def _variable(reference: Reference, origin: str, environ: Mapping[str, str]) -> str:
    if reference.resolver == "env" and reference.name in environ:
        return environ[reference.name]
    raise errors.VariableNotSet(
        f"{origin}: the environment variable {reference.name} is not set.",
        hint=f"Set {reference.name} in the environment of this command, or change the value in the file.",
    )
