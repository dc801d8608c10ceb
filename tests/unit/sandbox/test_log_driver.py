"""Output becomes events of a log stream: every line, in order, in batches that CloudWatch accepts."""

import os
import time
from collections.abc import Sequence
from threading import Thread

from sandbox.cloud.log_driver import Event, LogDriver, Milestone, batches


def deliver(output: bytes, **settings: float | Sequence[Milestone]) -> list[list[Event]]:
    """What is put when a program writes this and ends."""
    reading, writing = os.pipe()
    put: list[list[Event]] = []

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(output)

    writer = Thread(target=write)
    writer.start()
    try:
        LogDriver(reading, lambda events: put.append([*events]), **settings).run()  # type: ignore[arg-type]
    finally:
        writer.join()
        os.close(reading)
    return put


def messages(put: list[list[Event]]) -> list[str]:
    return [event["message"] for batch in put for event in batch]


def test_every_line_arrives_in_order_also_the_last_without_its_end() -> None:
    assert messages(deliver(b"one\ntwo\nthree")) == ["one", "two", "three"]


def test_empty_lines_are_left_out_because_an_event_has_text() -> None:
    assert messages(deliver(b"one\n\n\ntwo\n")) == ["one", "two"]


def test_bytes_that_are_not_text_are_replaced() -> None:
    assert messages(deliver(b"caf\xe9\n")) == ["caf�"]


def test_a_very_long_line_is_cut_where_the_driver_cuts() -> None:
    assert [len(message) for message in messages(deliver(b"x" * 300_000 + b"\n"))] == [262_118, 37_882]


def test_timestamps_never_go_back() -> None:
    stamps = [event["timestamp"] for batch in deliver(b"x\n" * 5000) for event in batch]
    assert stamps == sorted(stamps)
    assert abs(stamps[0] / 1000 - time.time()) < 60


def test_a_hundred_thousand_lines_are_put_in_few_batches() -> None:
    put = deliver(b"".join(b"%d\n" % number for number in range(100_000)))
    assert messages(put) == [str(number) for number in range(100_000)]
    assert len(put) < 1000


def event(message: str) -> Event:
    return Event(timestamp=0, message=message)


def test_a_batch_has_at_most_ten_thousand_events() -> None:
    assert [len(batch) for batch in batches([event("x")] * 20_001)] == [10_000, 10_000, 1]


def test_a_batch_has_at_most_a_mebibyte_with_26_bytes_for_each_event() -> None:
    fitting = [event("ä" * 131_059), *[event("x" * 262_118)] * 3]
    assert [len(batch) for batch in batches(fitting)] == [4]
    assert [len(batch) for batch in batches([*fitting, event("x")])] == [4, 1]


def test_lines_are_held_back_as_long_as_wanted() -> None:
    started = time.monotonic()
    assert messages(deliver(b"one\ntwo\n", delay_seconds=0.3)) == ["one", "two"]
    assert time.monotonic() - started >= 0.3


def test_output_that_somebody_still_holds_open_ends_with_the_container() -> None:
    seen: list[str] = []
    reading, writing = os.pipe()
    os.write(writing, b"one\nrest")
    driver = LogDriver(reading, lambda events: seen.extend(event["message"] for event in events))
    driver.container_has_ended()
    driver.run()
    os.close(writing)
    os.close(reading)
    assert seen == ["one", "rest"]


def test_milestones_are_passed_after_exactly_so_many_lines() -> None:
    seen: list[str] = []
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo\nthree\n")
    os.close(writing)
    LogDriver(
        reading,
        lambda events: seen.extend(event["message"] for event in events),
        milestones=[Milestone(2, lambda: seen.append("!")), Milestone(0, lambda: seen.append("first"))],
    ).run()
    os.close(reading)
    assert seen == ["first", "one", "two", "!", "three"]
