"""What is recorded of a run."""

import uuid
from datetime import UTC, datetime

import pytest

from taxiway.model.ledger import StatementRecord, make_run_id


def test_the_number_of_a_run_is_a_uuid_of_version_7_with_its_time() -> None:
    moment = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    # RFC 9562, A.6
    randomness = bytes.fromhex("0cc318c4dc0c0c07398f")
    made = uuid.UUID(make_run_id(moment, randomness))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 0x017F22E279B0
    assert make_run_id(moment, b"\xff" * 10) == "017f22e2-79b0-7fff-bfff-ffffffffffff"


def test_later_numbers_are_greater() -> None:
    before, after = (
        make_run_id(datetime(2026, 1, 1, second=s, tzinfo=UTC), bytes([255 - s] * 10)) for s in (1, 2)
    )
    assert before < after


@pytest.mark.parametrize(
    ("command", "rows"), [("INSERT 0 5", 5), ("SELECT 3", 3), ("CREATE TABLE", None), ("", None), ("COPY 12", 12)]
)
def test_a_tag_says_how_many_rows_there_were(command: str, rows: int | None) -> None:
    assert StatementRecord("V1__a.sql", 1, 2, command).rows == rows
