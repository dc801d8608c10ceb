"""What a login with a token of IAM asks of the connection, and why the server may refuse it."""

import os
from dataclasses import replace
from typing import Final

from taxiway import errors
from taxiway.model.endpoint import find_rds_endpoint
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.trust import VERIFY_FULL
from taxiway.secret import reveal

IAM: Final = "iam"


def with_rules_of_iam(settings: DatabaseSettings) -> DatabaseSettings:
    """The settings, taken apart before, as a token needs them: one server that proves who it is, and a user.

    A token is as good as a password while it is valid, so it goes to nobody else. GSS encryption would come before
    TLS, which RDS wants.

    Raises:
        InvalidOption: A password, a secret, several hosts, a socket, or a mode weaker than ``verify-full``.
        MissingOption: No host or no user.
    """
    for name, given in (("password", settings.password), ("secret", settings.secret)):
        if given:
            raise _refused(f"{name} is set as well", f"Remove {name}, or auth: a token takes its place.")
    host = reveal(settings.parameters.get("host", "")) or os.environ.get("PGHOST", "")
    user = settings.user or os.environ.get("PGUSER")
    if not host or not user:
        lacking = "user" if host else "host"
        raise errors.MissingOption(
            f"auth=iam needs a {lacking}: the token is made for one user of one server.",
            hint=f"Set {lacking} (--{lacking}, [database] in taxiway.toml), or name it in the URL.",
        )
    if host.startswith("/") or "," in host:
        raise _refused("the host is no single name", "Give one host: the writer endpoint of the cluster.")
    mode = reveal(settings.parameters.get("sslmode", "")) or os.environ.get("PGSSLMODE", "")
    if mode not in {"", VERIFY_FULL}:
        raise _refused(f"sslmode is {mode}", "Remove sslmode (PGSSLMODE, too): with a token it is verify-full.")
    forced = {"host": host, "sslmode": VERIFY_FULL, "gssencmode": "disable"}
    return replace(settings, user=user, parameters={**settings.parameters, **forced})


def hint_of_iam(settings: DatabaseSettings) -> str:
    """What to look at when the server has refused a token; it does not say which of these it was."""
    host = reveal(settings.parameters.get("host", ""))
    endpoint = find_rds_endpoint(host)
    region = settings.region or (endpoint.region if endpoint else "REGION")
    return (
        f"Allow rds-db:connect on arn:aws:rds-db:{region}:ACCOUNT:dbuser:RESOURCE-ID/{settings.user} in the "
        f"policy of the task role, and have an administrator run 'GRANT rds_iam TO {settings.user}'. IAM "
        "authentication has to be on for the cluster, and the token is for its name and port: through a tunnel, "
        "set hostaddr and iamPort."
    )


def _refused(reason: str, hint: str) -> errors.InvalidOption:
    return errors.InvalidOption(f"auth=iam cannot be used: {reason}.", hint=hint)
