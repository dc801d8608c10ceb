"""GitHub's API for deploy keys on this machine: it remembers keys, and knows one token."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "github_pat_canary_0123456789"
REPOSITORY = "acme/sample"


class FakeGithub(ThreadingHTTPServer):
    """``keys`` are those of the repository; ``taken`` are public halves of other repositories."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys: list[dict[str, Any]] = []
        self.taken: set[str] = set()
        self.requests: list[str] = []
        self.redirect: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def register(self, content: dict[str, Any]) -> dict[str, Any]:
        key = {"id": len(self.requests), **content}
        self.keys.append(key)
        return key


class _Handler(BaseHTTPRequestHandler):
    server: FakeGithub

    def do_GET(self) -> None:
        if self._is_let_in():
            page = int(self.path.rpartition("page=")[2])
            self._answer(200, self.server.keys[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        if not self._is_let_in():
            return
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if content["key"] in self.server.taken:
            self._answer(422, {"message": "Validation Failed", "errors": [{"message": "key is already in use"}]})
        else:
            self._answer(201, self.server.register(content))

    def do_DELETE(self) -> None:
        if self._is_let_in():
            wanted = int(self.path.rpartition("/")[2])
            self.server.keys = [key for key in self.server.keys if key["id"] != wanted]
            self._answer(204, None)

    def _is_let_in(self) -> bool:
        self.server.requests.append(f"{self.command} {self.path}")
        if self.server.redirect:
            self.send_response(301)
            self.send_header("Location", self.server.redirect)
            self.end_headers()
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Bad credentials"})
        elif not self.path.startswith(f"/repos/{REPOSITORY}/keys"):
            self._answer(404, {"message": "Not Found"})
        else:
            return True
        return False

    def _answer(self, status: int, content: object) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: tests look at ``requests``."""


@contextmanager
def fake_github() -> Iterator[FakeGithub]:
    server = FakeGithub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
