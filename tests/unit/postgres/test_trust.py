"""Who has to prove who it is when nobody says so: servers with names of RDS."""

from pathlib import Path

import pytest

from taxiway.postgres.certificates import RDS_CA_BUNDLE
from taxiway.postgres.defaults import add_defaults

NAME = "shop.cluster-abc123.eu-west-1.rds.amazonaws.com"
PROXY = "shop.proxy-abc123.eu-west-1.rds.amazonaws.com"
BUNDLE = str(RDS_CA_BUNDLE)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def trust(**parameters: str) -> tuple[str | None, str | None]:
    made = add_defaults(parameters)
    return made.get("sslmode"), made.get("sslrootcert")


def test_a_server_with_a_name_of_rds_is_verified_by_its_authorities() -> None:
    assert trust(host=NAME) == ("verify-full", BUNDLE)
    assert trust(host=NAME, hostaddr="127.0.0.1", port="15432") == ("verify-full", BUNDLE)


@pytest.mark.parametrize("host", ["db.example.com", "localhost", "/tmp", "", PROXY, f"{NAME},{NAME}"])
def test_other_servers_are_left_to_libpq(host: str) -> None:
    assert trust(host=host) == (None, None)


def test_the_name_may_come_from_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", NAME)
    assert trust() == ("verify-full", BUNDLE)
    assert trust(host="localhost") == (None, None)


@pytest.mark.parametrize(
    ("mode", "authorities"), [("verify-ca", BUNDLE), ("verify-full", BUNDLE), ("require", None), ("disable", None)]
)
def test_a_mode_that_somebody_has_said_wins(
    mode: str, authorities: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trust(host=NAME, sslmode=mode) == (mode, authorities)
    monkeypatch.setenv("PGSSLMODE", mode)
    assert trust(host=NAME) == (None, authorities)


def test_authorities_that_somebody_has_said_win(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trust(host=NAME, sslrootcert="mine.pem") == ("verify-full", "mine.pem")
    monkeypatch.setenv("PGSSLROOTCERT", "mine.pem")
    assert trust(host=NAME) == ("verify-full", None)


def test_a_file_where_libpq_looks_by_itself_is_left_to_libpq(home: Path) -> None:
    (home / ".postgresql").mkdir()
    (home / ".postgresql" / "root.crt").write_text("")
    assert trust(host=NAME) == ("verify-full", None)


def test_with_a_service_file_all_of_it_is_libpqs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "services"
    file.write_text(f"[mine]\nhost={NAME}\nsslmode=require\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    assert trust(service="mine", host=NAME) == (None, None)
    monkeypatch.setenv("PGSERVICE", "mine")
    assert trust(host=NAME) == (None, None)
