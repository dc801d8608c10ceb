"""Who gives the login of each connection to the database, as the settings ask for it."""

import os
from collections.abc import Callable

from taxiway.aws.iam_login import IamLogin
from taxiway.aws.secret_login import SecretLogin
from taxiway.aws.secrets import SecretsManager
from taxiway.aws.session import find_region
from taxiway.model.settings import DatabaseSettings
from taxiway.secret import Secret


def make_login(database: DatabaseSettings, *, on_secret: Callable[[Secret], None]) -> SecretLogin | IamLogin:
    """A token for each connection, or what stands in secrets. AWS is not asked for anything yet.

    ``database`` is taken apart. ``on_secret`` is told of what is confidential before anybody else gets it.
    """
    if database.auth == "iam":
        return IamLogin(database.region, on_secret=on_secret)
    region = database.region or find_region(os.environ)
    return SecretLogin(database, lambda stage: SecretsManager(region, on_secret=on_secret, stage=stage))
