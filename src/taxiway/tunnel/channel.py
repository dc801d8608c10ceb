"""One end of a data channel, without its connection: what arrives goes in, what is to be sent comes out.

It outlives its connections: the service closes each about once an hour, and gives a token for another one
(ResumeSession). What was not acknowledged by then is sent again on that one, in order, so that nobody notices.

The rules are those of ``src/datachannel/streaming.go`` of github.com/aws/session-manager-plugin: everything is
acknowledged; what comes before its turn is kept; the oldest message that was not acknowledged is sent again when
that is overdue, because the agent drops what comes before it is ready.
"""

import json
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from taxiway.tunnel import message as messages
from taxiway.tunnel.message import Flag, Message, Payload

# What the agent decides by: from 1.1.70 on it multiplexes, from 1.2.331 on it sends no keep-alives of its own.
CLIENT_VERSION: Final = "1.2.707.0"
_SCHEMA: Final = "1.0"
_SUCCESS: Final = 1
_UNSUPPORTED: Final = 3

# In seconds, as the plugin has them.
_FIRST_TIMEOUT: Final = 0.2
_MOST_TIMEOUT: Final = 1.0
_FIRST_ROUND_TRIP: Final = 0.1
_GRANULARITY: Final = 0.01

# So many may be on their way at once; the agent keeps 10000 that come before their turn.
_MOST_UNACKNOWLEDGED: Final = 512
_MOST_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ready:
    """The handshake is done. Agents from 3.0.196 on multiplex, older ones have one connection at a time."""

    agent_version: str


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of the multiplexer."""

    content: bytes


@dataclass(frozen=True, slots=True)
class ConnectRefused:
    """The agent could not connect to the destination of a stream."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over."""

    reason: str


type ChannelEvent = Ready | Data | ConnectRefused | Closed


@dataclass(slots=True)
class _Sent:
    content: bytes
    first_at: float
    last_at: float


class Channel:
    """The state of a session: ``now`` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._client_id = str(uuid.uuid4())
        self._outgoing: deque[bytes] = deque()
        self._unacknowledged: OrderedDict[int, _Sent] = OrderedDict()
        self._next_sequence = 0
        self._expected = 0
        self._kept: dict[int, Message] = {}
        self._agent_version = ""
        self._round_trip, self._variation = _FIRST_ROUND_TRIP, 0.0
        self._timeout = _FIRST_TIMEOUT

    # --- what is sent ---

    def opening(self, token: str) -> str:
        """The first message on every connection, as text. What was not acknowledged is due again."""
        self._outgoing.clear()
        self._outgoing.extend(sent.content for sent in self._unacknowledged.values())
        now = self._now()
        for sent in self._unacknowledged.values():
            sent.first_at = sent.last_at = now
        return json.dumps(
            {
                "MessageSchemaVersion": _SCHEMA,
                "RequestId": str(uuid.uuid4()),
                "TokenValue": token,
                "ClientId": self._client_id,
                "ClientVersion": CLIENT_VERSION,
            }
        )

    @property
    def is_full(self) -> bool:
        """So much is on its way that whoever has more should wait."""
        return len(self._unacknowledged) >= _MOST_UNACKNOWLEDGED

    @property
    def overdue_seconds(self) -> float:
        """How long the other end has been silent about what was sent first."""
        oldest = next(iter(self._unacknowledged.values()), None)
        return self._now() - oldest.first_at if oldest else 0.0

    def send_data(self, content: bytes) -> None:
        """Let bytes of the multiplexer go out, in messages of a size that the agent knows."""
        for start in range(0, len(content), messages.MOST_PAYLOAD):
            self._send(content[start : start + messages.MOST_PAYLOAD], Payload.DATA)

    def take_outgoing(self) -> list[bytes]:
        """What has to go out now, in order: what is new, and the oldest message if its answer is overdue."""
        now = self._now()
        oldest = next(iter(self._unacknowledged.values()), None)
        if oldest and not self._outgoing and now - oldest.last_at > self._timeout:
            oldest.last_at = now
            self._outgoing.append(oldest.content)
        taken = list(self._outgoing)
        self._outgoing.clear()
        return taken

    def _send(self, payload: bytes, payload_type: Payload) -> None:
        now = self._now()
        made = messages.make_message(messages.INPUT, payload, payload_type, sequence=self._next_sequence)
        content = messages.encode(made)
        self._unacknowledged[self._next_sequence] = _Sent(content, now, now)
        self._outgoing.append(content)
        self._next_sequence += 1

    # --- what arrives ---

    def receive(self, data: bytes) -> list[ChannelEvent]:
        """Take in a message, and whatever had to wait for it.

        Raises:
            MessageDamaged: It cannot be understood.
        """
        received = messages.decode(data)
        match received.type:
            case messages.OUTPUT:
                return self._receive_in_order(received)
            case messages.ACKNOWLEDGE:
                self._note_acknowledgement(_json(received))
            case messages.CLOSED:
                return [Closed(str(_json(received).get("Output") or "the session was ended"))]
            case _:
                # start_publication and pause_publication: the plugin goes on as well, and repeats what was lost.
                pass
        return []

    def _receive_in_order(self, received: Message) -> list[ChannelEvent]:
        if received.sequence - self._expected >= _MOST_KEPT:
            return []
        self._outgoing.append(messages.encode(messages.acknowledgement(received)))
        if received.sequence >= self._expected:
            self._kept[received.sequence] = received
        events: list[ChannelEvent] = []
        while following := self._kept.pop(self._expected, None):
            self._expected += 1
            events += self._process(following)
        return events

    def _process(self, received: Message) -> list[ChannelEvent]:
        match received.payload_type:
            case Payload.DATA:
                return [Data(received.payload)]
            case Payload.HANDSHAKE_REQUEST:
                return self._answer_handshake(_json(received))
            case Payload.HANDSHAKE_COMPLETE:
                return [Ready(self._agent_version)]
            case Payload.FLAG if messages.read_flag(received.payload) == Flag.CONNECT_TO_PORT_ERROR:
                return [ConnectRefused()]
        return []

    def _answer_handshake(self, request: dict[str, Any]) -> list[ChannelEvent]:
        """Accept a session of ports. The agent encrypts no such session with KMS (``isEncryptionEnabled``)."""
        self._agent_version = str(request.get("AgentVersion", ""))
        actions = [_processed(action) for action in request.get("RequestedClientActions") or ()]
        refused = [action["Error"] for action in actions if action["Error"]]
        answer = {"ClientVersion": CLIENT_VERSION, "ProcessedClientActions": actions, "Errors": refused}
        self._send(json.dumps(answer).encode(), Payload.HANDSHAKE_RESPONSE)
        return [Closed(f"the agent asks for what Taxiway cannot do: {', '.join(refused)}")] if refused else []

    def _note_acknowledgement(self, content: dict[str, Any]) -> None:
        sent = self._unacknowledged.pop(content.get("AcknowledgedMessageSequenceNumber", -1), None)
        if sent is None or sent.first_at != sent.last_at:
            # Of one that was sent twice nobody knows which of them was meant.
            return
        seconds = self._now() - sent.last_at
        self._variation = 0.75 * self._variation + 0.25 * abs(self._round_trip - seconds)
        self._round_trip = 0.875 * self._round_trip + 0.125 * seconds
        self._timeout = min(self._round_trip + max(_GRANULARITY, 4 * self._variation), _MOST_TIMEOUT)


def _processed(action: dict[str, Any]) -> dict[str, Any]:
    kind = str(action.get("ActionType"))
    parameters = action.get("ActionParameters") or {}
    is_known = kind == "SessionType" and parameters.get("SessionType") == "Port"
    error = "" if is_known else f"{kind} {parameters.get('SessionType', '')}".strip()
    return {
        "ActionType": kind,
        "ActionStatus": _SUCCESS if is_known else _UNSUPPORTED,
        "ActionResult": None,
        "Error": error,
    }


def _json(message: Message) -> dict[str, Any]:
    try:
        content = json.loads(message.payload)
    except ValueError as error:
        raise messages.MessageDamaged(f"{message.type} without JSON") from error
    if not isinstance(content, dict):
        raise messages.MessageDamaged(f"{message.type} without an object")
    return content
