"""A data channel without its connection: order, repetition and what survives a lost connection."""

import json
from itertools import count

import pytest

from taxiway.tunnel import message as messages
from taxiway.tunnel.channel import Channel, Closed, ConnectRefused, Data, Ready
from taxiway.tunnel.message import Payload

REQUEST = {
    "AgentVersion": "3.3.1611.0",
    "RequestedClientActions": [{"ActionType": "SessionType", "ActionParameters": {"SessionType": "Port"}}],
}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def channel(clock: Clock) -> Channel:
    return Channel(clock)


def output(sequence: int, payload: bytes, kind: int = Payload.DATA) -> bytes:
    return messages.encode(messages.make_message(messages.OUTPUT, payload, kind, sequence=sequence))


def acknowledged(channel: Channel, sequence: int) -> None:
    sent = messages.make_message(messages.INPUT, b"", Payload.DATA, sequence=sequence)
    channel.receive(messages.encode(messages.acknowledgement(sent)))


def sent(channel: Channel, kind: str = messages.INPUT) -> list[messages.Message]:
    return [one for one in map(messages.decode, channel.take_outgoing()) if one.type == kind]


def test_a_message_is_what_it_was() -> None:
    made = messages.make_message(messages.INPUT, b"\0payload", Payload.DATA, sequence=7)
    assert messages.decode(messages.encode(made)) == made


def test_the_header_is_that_of_the_plugin() -> None:
    content = messages.encode(messages.make_message(messages.INPUT, b"ab", Payload.DATA, sequence=1))
    assert len(content) == 120 + 2
    assert content[:4] == (116).to_bytes(4)
    assert content[4:36] == b"input_stream_data".ljust(32)
    assert content[112:120] == (1).to_bytes(4) + (2).to_bytes(4)


@pytest.mark.parametrize("content", [b"", b"x" * 119, b"\0" * 120])
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(messages.MessageDamaged):
        messages.decode(content)


def test_a_payload_that_was_changed_is_refused() -> None:
    with pytest.raises(messages.MessageDamaged, match="digest"):
        messages.decode(output(0, b"abc")[:-1] + b"x")


def test_the_handshake_accepts_ports(channel: Channel) -> None:
    assert channel.receive(output(0, json.dumps(REQUEST).encode(), Payload.HANDSHAKE_REQUEST)) == []
    [answer] = sent(channel)
    assert answer.payload_type == Payload.HANDSHAKE_RESPONSE
    assert json.loads(answer.payload)["ProcessedClientActions"][0]["ActionStatus"] == 1
    assert channel.receive(output(1, b"{}", Payload.HANDSHAKE_COMPLETE)) == [Ready("3.3.1611.0")]


def test_the_handshake_refuses_what_it_cannot_do(channel: Channel) -> None:
    request = {**REQUEST, "RequestedClientActions": [{"ActionType": "KMSEncryption", "ActionParameters": {}}]}
    [event] = channel.receive(output(0, json.dumps(request).encode(), Payload.HANDSHAKE_REQUEST))
    assert isinstance(event, Closed)
    assert "KMSEncryption" in event.reason


def test_what_comes_too_early_waits_for_its_turn_and_nothing_comes_twice(channel: Channel) -> None:
    assert channel.receive(output(1, b"b")) == []
    assert channel.receive(output(0, b"a")) == [Data(b"a"), Data(b"b")]
    assert channel.receive(output(1, b"b")) == []
    # All three, the repeated one too: its acknowledgement may have been lost.
    assert len(sent(channel, messages.ACKNOWLEDGE)) == 3


def test_what_is_not_acknowledged_is_repeated_the_oldest_first(channel: Channel, clock: Clock) -> None:
    channel.send_data(b"a")
    channel.send_data(b"b")
    assert [one.payload for one in sent(channel)] == [b"a", b"b"]
    assert sent(channel) == []
    clock.now += 1
    assert [one.payload for one in sent(channel)] == [b"a"]
    acknowledged(channel, 0)
    clock.now += 1
    assert [one.payload for one in sent(channel)] == [b"b"]
    acknowledged(channel, 1)
    clock.now += 1
    assert sent(channel) == []


def test_another_connection_begins_with_all_that_was_not_acknowledged(channel: Channel, clock: Clock) -> None:
    for content in (b"a", b"b", b"c"):
        channel.send_data(content)
    channel.take_outgoing()
    acknowledged(channel, 1)
    clock.now += 30
    assert channel.overdue_seconds == 30
    opening = json.loads(channel.opening("token"))
    assert opening["TokenValue"] == "token"
    assert channel.overdue_seconds == 0
    assert [(one.sequence, one.payload) for one in sent(channel)] == [(0, b"a"), (2, b"c")]


def test_messages_are_no_larger_than_those_of_the_plugin(channel: Channel) -> None:
    channel.send_data(b"x" * 2500)
    assert [len(one.payload) for one in sent(channel)] == [1024, 1024, 452]


def test_it_is_full_before_the_agent_is(channel: Channel) -> None:
    for _ in count():
        if channel.is_full:
            break
        channel.send_data(b"x")
    assert len(sent(channel)) == 512
    acknowledged(channel, 0)
    assert not channel.is_full


def test_what_the_agent_says_of_the_destination_and_of_the_end(channel: Channel) -> None:
    assert channel.receive(output(0, (3).to_bytes(4), Payload.FLAG)) == [ConnectRefused()]
    assert channel.receive(output(1, b"odd", Payload.FLAG)) == []
    closing = messages.make_message(messages.CLOSED, b'{"Output": "bye"}', 0, sequence=0)
    assert channel.receive(messages.encode(closing)) == [Closed("bye")]
