"""The line for psql is one that a shell and libpq read as it was meant."""

import shlex

import pytest
from psycopg.conninfo import conninfo_to_dict

from taxiway.model.tunnel import Destination, Role
from taxiway.reports.tunnel import connection_parameters, render_psql

THERE = Destination(host="w.example", port=5433, role=Role.WRITER, words="the writer")


@pytest.mark.parametrize("user", ["app", "a b", "o'neil", 'back\\slash"', "$(x)"])
def test_libpq_reads_what_was_meant(user: str) -> None:
    parameters = connection_parameters(THERE, 15432, database="shop", user=user, sslrootcert="/a b/ca.pem")
    program, conninfo = shlex.split(render_psql(parameters))
    assert program == "psql"
    assert conninfo_to_dict(conninfo) == {
        "host": "w.example",
        "hostaddr": "127.0.0.1",
        "port": "15432",
        "dbname": "shop",
        "user": user,
        "sslmode": "verify-full",
        "sslrootcert": "/a b/ca.pem",
    }


def test_what_is_not_known_is_left_to_libpq() -> None:
    parameters = connection_parameters(THERE, 1, database=None, user=None, sslrootcert="ca")
    assert parameters.keys().isdisjoint({"dbname", "user"})
