"""The calls of Systems Manager that are about sessions; the emulator has none of them."""

import secrets
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ssm.responses import SimpleSystemManagerResponse

from sandbox.cloud.call import Call
from sandbox.cloud.patches import add
from sandbox.cloud.session_agent import Address, Agents, Session, SessionService

DOCUMENT: Final = "AWS-StartPortForwardingSessionToRemoteHost"
_AGENT_VERSION: Final = "3.3.1611.0"

type _Answer = dict[str, Any]


class SessionApi:
    """StartSession, ResumeSession and TerminateSession."""

    def __init__(self, service: SessionService, agents: Agents) -> None:
        self._service, self._agents = service, agents

    def install(self) -> None:
        """From now on, these calls come here."""
        calls = {
            "start_session": self.start_session,
            "resume_session": self.resume_session,
            "terminate_session": self.terminate_session,
        }
        for name, method in calls.items():
            add(
                SimpleSystemManagerResponse,
                name,
                lambda response, method=method: ActionResult(method(Call(response), response.headers.get("Host"))),
            )

    def start_session(self, call: Call, host: str) -> _Answer:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html."""
        target, document = call.get("Target"), call.get("DocumentName")
        if document != DOCUMENT:
            raise JsonRESTError("InvalidDocument", f"Document with name {document} does not exist.")
        agent = self._agents.find(target)
        if agent is None:
            raise JsonRESTError("TargetNotConnected", f"{target} is not connected.")
        parameters = call.get("Parameters")
        [name], [port] = parameters["host"], parameters["portNumber"]
        hosts = {(one[0], one[1]): (one[2], one[3]) for one in agent["hosts"]}

        def find(wanted: str, wanted_port: int) -> Address | None:
            return hosts.get((wanted, wanted_port))

        caller = call.find_caller()
        user = caller.arn.rpartition("/")[2] if caller else "operator"
        session = Session(
            id=f"{user}-{secrets.token_hex(8)}",
            host=name,
            port=int(port),
            find=find,
            agent_version=agent.get("version", _AGENT_VERSION),
            is_lossy=agent.get("is_lossy", False),
        )
        return self._answer(session.id, self._service.begin(session), host)

    def resume_session(self, call: Call, host: str) -> _Answer:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ResumeSession.html."""
        session_id = call.get("SessionId")
        token = self._service.renew(session_id)
        if token is None:
            raise JsonRESTError("DoesNotExistException", f"Session {session_id} does not exist.")
        return self._answer(session_id, token, host)

    def terminate_session(self, call: Call, _host: str) -> _Answer:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_TerminateSession.html."""
        session_id = call.get("SessionId")
        self._service.end(session_id)
        return {"SessionId": session_id}

    def _answer(self, session_id: str, token: str, host: str) -> _Answer:
        """Under the name that the caller has for this machine, as ``ssmmessages`` is beside ``ssm``."""
        place = f"{host.partition(':')[0]}:{self._service.port}"
        url = f"ws://{place}/v1/data-channel/{session_id}?role=publish_subscribe"
        return {"SessionId": session_id, "StreamUrl": url, "TokenValue": token}
