"""What a URL says itself, compared with libpq where libpq accepts it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from taxiway.config.url import mask_passwords, parameters_in, passwords_in

URLS = [
    ("postgresql://h/db", set(), set()),
    ("postgresql://h:5432/db", set(), set()),
    ("postgresql://h1:1,h2:2/db", set(), set()),
    ("postgresql://[::1]:5432/db", set(), set()),
    ("postgresql://u@h/db", {"user"}, set()),
    ("postgresql://u:pw@h/db", {"user", "password"}, {"pw"}),
    ("postgresql://u:p%40w@h/db", {"user", "password"}, {"p@w", "p%40w"}),
    ("postgresql://u:p?w@h/db", {"user", "password"}, {"p?w"}),
    ("postgresql://u:p/w@h/db", {"user", "password"}, {"p/w"}),
    ("postgresql://u:p@w/9@127.0.0.1:1/db?x=1", {"user", "password"}, {"p@w/9"}),
    ("postgresql://a/b:pw@h/db", {"user", "password"}, {"pw"}),
    ("postgresql://a@b:pw@h/db", {"user", "password"}, {"pw"}),
    ("postgres://:pw@/db", {"password"}, {"pw"}),
    ("postgresql://h/db?sslmode=require&password=pw", {"sslmode", "password"}, {"pw"}),
    ("postgresql://h/db?p%61ssword=pw", {"password"}, {"pw"}),
    ("postgresql://h:5432/db?user=me@tenant", {"user"}, set()),
    ("postgresql://h/db?sslpassword=pw", {"sslpassword"}, {"pw"}),
    ("jdbc:postgresql://h/db?user=u&password=pw", {"user", "password"}, {"pw"}),
    ("jdbc:postgresql:db?password=pw", {"password"}, {"pw"}),
    ("postgresql+psycopg://u:pw@h/db", {"user", "password"}, {"pw"}),
    ("jdbc:postgresql://u:pw@h/db", {"user", "password"}, {"pw"}),
    ("u:pw@h/db", {"user", "password"}, {"pw"}),
    ("u_1:p=w@h/db", {"user", "password"}, {"p=w"}),
    ("u@h/db?password=pw", {"user", "password"}, {"pw"}),
    ("h:5432/db?user=me@tenant", {"user"}, set()),
    ("jdbc:postgresql:db?user=me@tenant", {"user"}, set()),
    ("jdbc:postgresql://h/db?accessToken=pw", {"accesstoken"}, {"pw"}),
    ("host=h dbname=db", {"host", "dbname"}, set()),
    ("host=h oauth_client_secret=pw", {"host", "oauth_client_secret"}, {"pw"}),
    ("host = h password = pw", {"host", "password"}, {"pw"}),
    (r"password='p w\'s' user=u", {"password", "user"}, {"p w's"}),
    ("", set(), set()),
]


@pytest.mark.parametrize(("url", "names", "passwords"), URLS)
def test_parameters_and_passwords_of_a_url_are_found(url: str, names: set[str], passwords: set[str]) -> None:
    assert parameters_in(url) - {""} >= names
    assert {secret.reveal() for secret in passwords_in(url)} == passwords


@pytest.mark.parametrize("text", ["a", " a", "a ", "a:", "u@", "a=", "\\", "a='"])
def test_the_time_for_a_long_text_grows_with_its_length_and_not_with_the_square(text: str) -> None:
    long = text * 200_000
    start = time.process_time()
    passwords_in(long)
    mask_passwords(long, "*")
    assert time.process_time() - start < 10  # the square takes minutes


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@given(password=VALUES, user=VALUES)
def test_a_password_in_any_connection_string_of_libpq_is_found(password: str, user: str) -> None:
    conninfo = make_conninfo(host="h", user=user, password=password)
    assert password in {secret.reveal() for secret in passwords_in(conninfo)}
    assert parameters_in(conninfo) == conninfo_to_dict(conninfo).keys()


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    passwords_in(text)
    parameters_in(f"postgresql://{text}")


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql://u:pw@h/db", "postgresql://u:*@h/db"),
        ("postgresql://u:p?w@h/db?a=b", "postgresql://u:*@h/db?a=b"),
        ("postgresql://u@h/db?sslmode=require&password=pw", "postgresql://u@h/db?sslmode=require&password=*"),
        ("postgresql://h/db?p%61ssword=pw", "postgresql://h/db?p%61ssword=*"),
        ("jdbc:postgresql://h/db?user=u&password=pw&ssl", "jdbc:postgresql://h/db?user=u&password=*&ssl"),
        ("jdbc:postgresql:db", "jdbc:postgresql:db"),
        ("postgresql+psycopg://u:pw@h/d", "postgresql+psycopg://u:*@h/d"),
        ("u:pw@h/d", "u:*@h/d"),
        ("h:5432/d", "h:5432/d"),
        ("postgresql://h/db?accessToken=pw&a=b", "postgresql://h/db?accessToken=*&a=b"),
        ("host=h access_token=pw", "host=h access_token=*"),
        ("host=h password='p w' user=u", "host=h password=* user=u"),
        ("", ""),
    ],
)
def test_passwords_are_masked_and_nothing_else(url: str, masked: str) -> None:
    assert mask_passwords(url, "*") == masked


@given(password=VALUES, user=VALUES)
def test_no_password_in_a_connection_string_is_left(password: str, user: str) -> None:
    masked = mask_passwords(make_conninfo(host="h", user=user, password=password), "*")
    assert conninfo_to_dict(masked)["password"] == "*"
