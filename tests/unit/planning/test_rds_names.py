import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from taxiway.planning.rds_names import final_name, new_name, old_name, snapshot_name, stamp_of

MOMENT = datetime(2026, 11, 29, 8, 15, 0, tzinfo=UTC)
# CreateDBCluster, API reference
_IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9])*")


@given(st.from_regex(r"[a-z](-?[a-z0-9]){0,62}", fullmatch=True).filter(lambda name: len(name) <= 63))
def test_every_name_is_one_that_rds_takes(name: str) -> None:
    stamp = stamp_of(MOMENT)
    made = [old_name(name, stamp), new_name(name, stamp), final_name(name, stamp)]
    for one in (*made, snapshot_name(name, MOMENT, "1f3c")):
        assert _IDENTIFIER.fullmatch(one)
        assert len(one) <= 63
    assert len({*made}) == 3


def test_two_long_names_that_begin_alike_stay_two() -> None:
    assert old_name("a" * 62 + "1", "20261129081500") != old_name("a" * 62 + "2", "20261129081500")


def test_a_snapshot_has_database_and_utc_time_in_its_name() -> None:
    assert snapshot_name("shop", MOMENT, "1f3c") == "shop-20261129t081500z-1f3c"
