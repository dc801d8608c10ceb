"""Somebody who follows the tutorial of the private database has one at the end."""

import json
from itertools import takewhile
from pathlib import Path
from typing import Final

import pytest

from tests.support.examples import Command, Reader, Step, Write, steps
from tests.support.markdown import read_page
from tests.support.newcomer import Newcomer

PAGE: Final = "docs/tutorial/private-database.md"
_RUN: Final = "taxiway task run --branch"
_DIGEST: Final = "ghcr.io/acme/taxiway@sha256:" + "a" * 64


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_reader_ends_with_a_private_database_that_is_migrated(tmp_path: Path) -> None:
    with Newcomer.arriving(tmp_path) as newcomer:
        taken = steps(_of_the_reader(read_page(PAGE), newcomer))
        newcomer.publish("shop", _branches(taken))
        reader = Reader(tmp_path, newcomer.environment)
        for step in taken:
            reader.take(step)
            if step == Command("taxiway deploy-key create", getattr(step, "expected", "")):
                shown = newcomer.well("deploy-key", "show", "--output", "json")
                newcomer.git.authorize(shown.json["publicKey"])
        cluster = newcomer.outputs_of("shop")["DatabaseClusterId"]
        statement = "SELECT count(*) FROM sample, product"
        assert newcomer.query(cluster, "postgresql@shop@read_only", "shop", statement) == [(0,)]


def _of_the_reader(page: str, newcomer: Newcomer) -> str:
    """The page with the reader's own network, image, Git host and port."""
    ground = newcomer.ground
    port = f"git_port = {newcomer.git.port}\ndatabase_port = {newcomer.port}"
    repository = f'repository_url = "{newcomer.git.url("shop")}"\n{port}'
    own = {
        '"vpc-0123456789abcdef0"': json.dumps(ground.vpc),
        '["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]': json.dumps([*ground.subnets]),
        json.dumps(_DIGEST): json.dumps(ground.image),
        'repository_owner = "acme"\nrepository_path = "shop"': repository,
    }
    for words, ours in own.items():
        assert words in page
        page = page.replace(words, ours)
    return page


def _branches(taken: tuple[Step, ...]) -> dict[str, dict[str, str]]:
    """What was written before the first run is on main, what was written after it on develop."""
    before = [*takewhile(lambda step: not (isinstance(step, Command) and step.line.startswith(_RUN)), taken)]
    after = taken[len(before) :]
    return {
        branch: {step.path: step.text for step in some if isinstance(step, Write)}
        for branch, some in (("main", before), ("develop", after))
    }
