"""The job records itself: who asked for it, which commit, which task, how it ended. Its log says the same."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final, override

import pytest
from psycopg.rows import dict_row

from sandbox.world import World
from tests.support.job import Job

ARN: Final = "arn:aws:ecs:eu-west-1:111122223333:task/default/8f03e41243824aea923aca126495f665"
DIGEST: Final = "sha256:d691691e9652791a60114e67b365688d20d19940dde7c4736ea30e660d8d3553"


class Metadata(BaseHTTPRequestHandler):
    """The endpoint that ECS gives to a container."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        answer = {"ImageID": DIGEST, "Labels": {"com.amazonaws.ecs.task-arn": ARN}}
        self.wfile.write(json.dumps(answer).encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def metadata_address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Metadata) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v4/x"
        server.shutdown()


def runs(world: World) -> list[dict[str, Any]]:
    with world.connect() as connection:
        return connection.cursor(row_factory=dict_row).execute("SELECT * FROM taxiway.run ORDER BY id").fetchall()


def test_a_run_is_in_the_ledger_as_in_its_log(world: World, tmp_path: Path, metadata_address: str) -> None:
    task = {"TAXIWAY_ACTOR": "ann@example.com", "ECS_CONTAINER_METADATA_URI_V4": metadata_address}
    job = Job(tmp_path, world.task_environment() | task)
    good = job.run("--log", "json")
    bad = job.run("broken", TAXIWAY_LOG="json")
    assert (good.exit_code, bad.exit_code) == (0, 1), good.output + bad.output
    for outcome, branch, word, result, code in (
        (good, "main", "SUCCESS", "succeeded", None),
        (bad, "broken", "FAILED", "failed", "migration-failed"),
    ):
        ending = json.loads(outcome.stdout.splitlines()[-1])
        assert (ending["event"], ending["outcome"], ending["exitCode"]) == ("result", word, outcome.exit_code)
        assert ending["code"] == code
        [row] = [one for one in runs(world) if str(one["id"]) == ending["runId"]]
        assert (row["result"], row["error_code"], row["command"]) == (result, code, "run")
        assert row["branch"] == ending["branch"] == branch
        assert row["commit"] == ending["commit"] == world.commits[branch]
        assert (row["actor"], row["task_arn"], row["image_digest"]) == ("ann@example.com", ARN, DIGEST)
    with world.connect() as connection:
        for table in ("run", "migration", "statement", "object"):
            text = str(connection.execute(f"SELECT t::text FROM taxiway.{table} t".encode()).fetchall())
            assert [secret for secret in world.secrets if secret in text] == []
    assert not any(secret in good.output + bad.output for secret in world.secrets)


def test_it_can_be_switched_off(world: World, tmp_path: Path) -> None:
    job = Job(tmp_path, world.task_environment())
    assert job.run().exit_code == 0
    before = runs(world)
    assert job.run(TAXIWAY_LEDGER="false").exit_code == 0
    assert runs(world) == before
