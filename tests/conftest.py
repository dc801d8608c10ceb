"""What holds for every test: where the fixtures come from, and an environment without the developer's settings."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples in every run, and no limit of time on one: a run that fails has to fail again, also on a slow
# machine. To look for new examples: make test ARGS="--hypothesis-profile=explore"
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")

pytest_plugins = ["tests.support.pytest_sandbox"]

_OURS = ("AWS_", "PG", "FLYWAY_", "TAXIWAY_", "DB_", "REPOSITORY_")


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No setting of this machine reaches a test: no AWS profile, no database, no region.

    Before everything else, because the parts of the sandbox are started by fixtures of the session too.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_OURS) or name == "REGION"]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        yield


@pytest.fixture(scope="session", autouse=True)
def heard_interruptions() -> Iterator[None]:
    """Ctrl-C is heard here and in every child, also where a shell in the background has this process ignore it.

    A child inherits that a signal is ignored, and Python leaves an ignored SIGINT as it is.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
