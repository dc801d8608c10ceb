"""The settings of a stack, and a taxiway.toml for one in the sandbox's account."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.account import Account
from sandbox.world import DEPLOY_KEY_SECRET, REGISTRY_SECRET, REPOSITORY, USER_SECRETS, World
from taxiway.model.infra import BastionWish, DatabaseWish, EndpointsWish, GithubWish, InfraSettings

DIGEST: Final = "sha256:" + "a" * 64
ECR_IMAGE: Final = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/taxiway@{DIGEST}"
SUBNETS: Final = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

_SHARED: Final[Mapping[str, Any]] = {
    "vpc": "vpc-0123456789abcdef0",
    "subnets": SUBNETS,
    "image": f"ghcr.io/acme/taxiway@{DIGEST}",
    "repository_owner": "acme",
    "repository_path": "shop",
    "deploy_key_secret": "github@deploy-key@shop",
    "secrets": ("postgresql@auroradb@master@sqladmin",),
    "database_name": "shop",
}


def adopting(**changes: Any) -> InfraSettings:
    """The least: an existing database, and nothing that can be left out."""
    adopted = {"database_host": "db.example.com", "database_security_group": "sg-0123456789abcdef0"}
    return InfraSettings(**{**_SHARED, **adopted, **changes})


def owning(**changes: Any) -> InfraSettings:
    """All that there is."""
    more: dict[str, Any] = {
        "image": ECR_IMAGE,
        "registry_secret": "registry@pull",
        "rotated_secrets": ("postgresql@auroradb@app",),
        "kms_key": KEY,
        "log_kms_key": KEY,
        "database_users": ("migrator",),
        "database": DatabaseWish(kms_key=KEY),
        "bastion": BastionWish(),
        "github": GithubWish(),
        "endpoints": EndpointsWish(route_tables=("rtb-0123456789abcdef0",), s3_prefix_list="pl-0123456789abcdef0"),
        "tags": {"team": "data"},
    }
    return InfraSettings(**{**_SHARED, **more, **changes})


def infra_file(world: World, account: Account, more: str = "") -> str:
    """``[infra]`` for the database, the repository and the image of a world; and tasks that know the stack only."""
    job = world.job_environment()
    values = {
        "vpc": account.vpc,
        "subnets": [*account.subnets],
        "image": account.image,
        "registry_secret": REGISTRY_SECRET,
        "repository_url": world.git.url(REPOSITORY),
        "deploy_key_secret": DEPLOY_KEY_SECRET,
        "secrets": [*USER_SECRETS.values()],
        "database_host": job["DB_HOST"],
        "database_port": int(job["DB_PORT"]),
        "database_name": job["DB_NAME"],
        "database_security_group": account.security_group,
        "git_port": world.git.port,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    variables = [f"{name} = {json.dumps(job[name])}" for name in ("TAXIWAY_SSH_KNOWN_HOSTS", "DB_SSLROOTCERT")]
    text = ["[task]", 'stack = "shop"', "[infra]", *lines, more, "[infra.environment]", *variables]
    return "\n".join(text) + "\n"
