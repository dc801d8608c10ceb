"""What no stack can be made of is told before AWS is asked, all at once, with what to write."""

from dataclasses import replace

import pytest

from taxiway import errors
from taxiway.infra.check import check_settings
from taxiway.model.infra import DatabaseWish, EndpointsWish, GithubWish, InfraSettings
from tests.support.infra import SUBNETS, adopting, owning


def test_good_settings_pass() -> None:
    check_settings(adopting())
    check_settings(owning())


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(errors.MissingOption) as caught:
        check_settings(InfraSettings())
    for key in ("vpc", "subnets", "image", "database_name", "repository_owner", "database_host"):
        assert f"infra.{key}" in caught.value.message


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (adopting(image="ghcr.io/acme/taxiway:latest"), "image"),
        (adopting(memory=4096), "memory"),
        (adopting(cpu=300), "memory"),
        (adopting(architecture="arm"), "architecture"),
        (adopting(log_retention_days=42), "log_retention_days"),
        (adopting(environment={"DB_HOST": "x"}), "environment.DB_HOST"),
        (adopting(stack="1 stack"), "stack"),
        (adopting(tags={"a": "${x}"}), "tags.a"),
        (adopting(repository_url="git@host:x.git"), "repository_url"),
        (adopting(database=DatabaseWish()), "database_host"),
        (owning(database=DatabaseWish(subnets=SUBNETS[:1])), "database.subnets"),
        (owning(database=DatabaseWish(min_capacity=8)), "database.min_capacity"),
        (owning(database=DatabaseWish(engine_version="16.2")), "database.min_capacity"),
        (owning(database=DatabaseWish(pause_after_seconds=10)), "database.pause_after_seconds"),
        (owning(database=DatabaseWish(backup_days=0)), "database.backup_days"),
        (owning(github=GithubWish(subject="repo:acme/*")), "github.subject"),
        (owning(github=GithubWish(repository="acme")), "github.repository"),
        (owning(github=GithubWish(environment="*")), "github.environment"),
    ],
)
def test_what_cannot_be_names_its_key(settings: InfraSettings, key: str) -> None:
    with pytest.raises(errors.InvalidOption, match=f"infra.{key} "):
        check_settings(settings)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (adopting(database_users=("migrator",)), "database_resource_id"),
        (adopting(database_security_group=None), "database_security_group"),
        (owning(endpoints=EndpointsWish()), "endpoints.route_tables"),
        (replace(adopting(github=GithubWish(), repository_owner=None), repository_url="u"), "github.repository"),
    ],
)
def test_what_is_needed_beside_something_else_names_its_key(settings: InfraSettings, key: str) -> None:
    with pytest.raises(errors.ConfigError, match=f"infra.{key} is not set"):
        check_settings(settings)
