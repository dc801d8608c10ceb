"""The process of the cloud: the emulator and everything beside it, on one port of 127.0.0.1.

Beside AWS's own addresses it has those of the task endpoints and, for tests, ``/sandbox/``:

========================  =============================================================================
``/sandbox/faults``       GET: what is switched on; POST: switch one on; DELETE: switch all off
``/sandbox/audit``        GET: the decisions about calls with roles; DELETE: forget them
``/sandbox/images``       POST: push an image to the registry
``/sandbox/agents``       POST: connect an instance to Systems Manager; DELETE: disconnect all
``/sandbox/sessions``     GET: those of Systems Manager; DELETE: end them; POST: break their connections
``/sandbox/databases``    GET: the port of each name that a database has or had
========================  =============================================================================
"""

import argparse
import json
import logging
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NoReturn

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug import Request, Response
from werkzeug.serving import make_server

from sandbox.aws import REGION
from sandbox.cloud.agent import Agent
from sandbox.cloud.database_servers import DatabaseServers
from sandbox.cloud.faults import Faults, FaultUnknown, parse_fault
from sandbox.cloud.images import Image, Registry
from sandbox.cloud.judge import Judge
from sandbox.cloud.patches import mend_restored_clusters
from sandbox.cloud.roles import Clients
from sandbox.cloud.session_agent import Agents, SessionService
from sandbox.cloud.task_endpoints import TaskEndpoints
from sandbox.process import report_ready

_HOST: Final = "127.0.0.1"

type _Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Cloud:
    """Everything in the process, wired."""

    def __init__(self, directory: Path, *, has_databases: bool = False) -> None:
        """Listens already, answers from :meth:`serve` on. ``has_databases``: those of RDS are real ones."""
        self._emulator = DomainDispatcherApplication(self._create_backend)
        self._server = make_server(_HOST, 0, self, threaded=True, request_handler=MotoRequestHandler)
        address = f"http://{_HOST}:{self.port}"
        self._faults, self._registry = Faults(), Registry()
        self._judge = Judge(self._faults)
        self._judge.install()
        clients = self._clients = Clients(address)
        self._endpoints = TaskEndpoints(clients, address)
        self._sessions, self._agents = SessionService(), Agents()
        self._agent = Agent(
            clients=clients,
            registry=self._registry,
            endpoints=self._endpoints,
            address=address,
            directory=directory / "tasks",
        )
        self._servers: DatabaseServers | None = None
        self._has_installed = False
        self._has_simulation = False
        if has_databases:
            self._servers = DatabaseServers(directory / "databases", certificate_name=_certificate_name())

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.server_port
        return port

    def serve(self) -> None:
        """For ever."""
        self._server.serve_forever()

    def end(self) -> NoReturn:
        """End the containers and this process, at once: to take everything down in order takes seconds."""
        self._agent.end_all()
        if self._servers:
            self._servers.end_all()
        os._exit(0)

    def _create_backend(self, service: Any) -> Any:  # noqa: ANN401 - moto's
        """Called at the first request for a service. What we change is loaded with it, not before."""
        if service == "cloudformation":
            from sandbox.cloud.stacks.api import StackApi

            return StackApi(self._clients).make_application()
        app = create_backend_app(service)
        if service == "ecs":
            from sandbox.cloud.task_api import TaskApi

            TaskApi(self._agent, self._faults).install()
        if service == "iam" and not self._has_simulation:
            from sandbox.cloud.simulation import install_simulation

            self._has_simulation = True
            install_simulation()
        if service == "ssm":
            from sandbox.cloud.session_api import SessionApi

            SessionApi(self._sessions, self._agents).install()
        if service == "rds":
            mend_restored_clusters()
            self._install_databases()
        return app

    def _install_databases(self) -> None:
        if self._servers and not self._has_installed:
            from sandbox.cloud.rds_api import RdsApi

            self._has_installed = True
            RdsApi(self._servers).install()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401
        """WSGI: ours or the emulator's."""
        path = environ.get("PATH_INFO", "")
        ours = path.startswith(("/sandbox/", "/v2/credentials/", "/v4/"))
        application: _Wsgi = self._answer(Request(environ)) if ours else self._emulator
        return application(environ, start_response)

    def _answer(self, request: Request) -> Response:
        _, area, what, *rest = request.path.split("/")
        match request.method, area, what:
            case "GET", "v2", "credentials":
                return _json_or_missing(self._endpoints.find_credentials(rest[0]))
            case "GET", "v4", task_id:
                return _json_or_missing(self._endpoints.find_metadata(task_id, "/".join(rest)))
            case method, "sandbox", "faults":
                return self._answer_about_faults(method, request)
            case "GET", "sandbox", "audit":
                return _json(self._judge.audit())
            case "DELETE", "sandbox", "audit":
                self._judge.clear()
                return _json({})
            case "GET", "sandbox", "databases":
                return _json(self._servers.describe() if self._servers else {})
            case "POST", "sandbox", "images":
                self._registry.push(Image.from_json(request.get_json()))
                return _json({})
            case method, "sandbox", "agents":
                return self._answer_about_agents(method, request)
            case method, "sandbox", "sessions":
                return self._answer_about_sessions(method)
            case _:
                return _json_or_missing(None)

    def _answer_about_faults(self, method: str, request: Request) -> Response:
        if method == "POST":
            try:
                self._faults.add(parse_fault(request.get_json()))
            except FaultUnknown as error:
                return _json({"message": str(error)}, status=400)
        if method == "DELETE":
            self._faults.clear()
        return _json(self._faults.describe())

    def _answer_about_agents(self, method: str, request: Request) -> Response:
        if method == "POST":
            self._agents.connect(request.get_json())
        else:
            self._agents.disconnect_all()
        return _json({"port": self._sessions.port})

    def _answer_about_sessions(self, method: str) -> Response:
        if method == "POST":
            return _json(self._sessions.cut())
        if method == "DELETE":
            for session in self._sessions.open_sessions:
                self._sessions.end(session, "ended by the administrator")
        return _json(self._sessions.open_sessions)


def _json(content: object, *, status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")


def _json_or_missing(content: object | None) -> Response:
    return _json({"message": "not found"}, status=404) if content is None else _json(content)


def _certificate_name() -> str:
    """Of every endpoint of a cluster in this account."""
    from sandbox.cloud.rds_api import URL_IDENTIFIER

    return f"*.cluster-{URL_IDENTIFIER}.{REGION}.rds.amazonaws.com"


def main() -> None:
    """Serve until ended by a signal."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.cloud.server", description="An emulated AWS account.")
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--databases", action="store_true", help="real servers behind the databases of RDS")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    cloud = Cloud(options.ready.parent, has_databases=options.databases)
    signal.signal(signal.SIGTERM, lambda *_: cloud.end())
    report_ready(options.ready, cloud.port)
    cloud.serve()


if __name__ == "__main__":
    main()
