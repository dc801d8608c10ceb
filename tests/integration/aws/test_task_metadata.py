"""The metadata endpoint of ECS, played by an HTTP server: what it says, and that nothing it does is fatal."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import override

import pytest

from taxiway.aws.task_metadata import ADDRESS_VARIABLE, TaskMetadata, read_task_metadata

# As in AWS, "Amazon ECS task metadata version 4 examples", shortened
ANSWER = b"""{
  "DockerId": "ea32192c8553fbff06c9340478a2ff089b2bb5646fb718b4ee206641c9086d66",
  "Image": "111122223333.dkr.ecr.us-west-2.amazonaws.com/curltest:latest",
  "ImageID": "sha256:d691691e9652791a60114e67b365688d20d19940dde7c4736ea30e660d8d3553",
  "Labels": {
    "com.amazonaws.ecs.container-name": "curl",
    "com.amazonaws.ecs.task-arn": "arn:aws:ecs:us-west-2:111122223333:task/default/8f03e41243824aea923aca126495f665"
  },
  "KnownStatus": "RUNNING"
}"""

type Endpoint = Callable[[bytes], dict[str, str]]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Starts an endpoint that answers with this, and returns the environment that names it."""
    servers: list[HTTPServer] = []

    def start(answer: bytes) -> dict[str, str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/v4/container-id"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return {ADDRESS_VARIABLE: f"http://127.0.0.1:{server.server_port}/v4/container-id"}

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_task_and_image_are_read_from_the_container(endpoint: Endpoint) -> None:
    assert read_task_metadata(endpoint(ANSWER)) == TaskMetadata(
        "arn:aws:ecs:us-west-2:111122223333:task/default/8f03e41243824aea923aca126495f665",
        "sha256:d691691e9652791a60114e67b365688d20d19940dde7c4736ea30e660d8d3553",
    )


@pytest.mark.parametrize("answer", [b"", b"not json", b"[]", b'{"Labels": [], "ImageID": 7}', b"[" * 100_000])
def test_an_answer_that_says_nothing_is_not_fatal(endpoint: Endpoint, answer: bytes) -> None:
    assert read_task_metadata(endpoint(answer)) == TaskMetadata()


@pytest.mark.parametrize("address", ["", "file:///etc/passwd", "http://127.0.0.1:1/x", "http://[", "http://h:p/"])
def test_an_address_where_nobody_answers_is_not_fatal(address: str) -> None:
    assert read_task_metadata({ADDRESS_VARIABLE: address}) == TaskMetadata()


def test_an_endpoint_that_is_silent_is_not_waited_for() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v4/x"
        assert read_task_metadata({ADDRESS_VARIABLE: address}) == TaskMetadata()
        assert time.monotonic() - started < 30
