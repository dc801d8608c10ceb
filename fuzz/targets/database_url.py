"""Database URLs: those of Java's driver, of libpq, and libpq's connection strings.

Holds: parameters or an error without the password; the password that libpq, or Java's driver, would read in it is
known to be one; it is gone from the masked text, in which the same reader finds the mask in its place.
"""

from collections.abc import Mapping
from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import SECRET, Target, check_error, repeated
from taxiway.config.url import mask_passwords, parameters_in, passwords_in
from taxiway.errors import ConfigError
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.jdbc import is_jdbc_url, read_url
from taxiway.postgres.libpq.conninfo import parse_conninfo
from taxiway.postgres.url import describe_target, parse_url, url_for_programs
from taxiway.secret import MASK, Secret, reveal

_CONFIDENTIAL: Final = ("password", "sslpassword")


def check(data: bytes) -> None:
    """See the top of this module."""
    url = Draw(data).text().replace("\ufffd", SECRET)
    parameters_in(url)
    masked = mask_passwords(url, MASK)
    known = [secret.reveal() for secret in passwords_in(url)]
    _check_masked(url, masked, known)
    given = DatabaseSettings(url=Secret(url))
    try:
        parsed = parse_url(given)
    except ConfigError as error:
        if SECRET in "".join(known):
            check_error(error)
        return
    assert parsed.url == "", "the URL is still there"
    for name, value in parsed.parameters.items():
        assert name not in _CONFIDENTIAL or isinstance(value, Secret), f"{name} is no secret"
    describe_target(parsed.parameters)
    if not is_jdbc_url(url):
        _check_for_programs(reveal(url_for_programs(given, parsed)), parsed)


def _check_masked(url: str, masked: str, known: list[str]) -> None:
    for name, password in _read(url).items():
        if name in _CONFIDENTIAL and password:
            # More may be: a reader of the URL may see its password where libpq sees the host.
            assert any(password in one for one in known), f"{name} is not known to be confidential: {password!r}"
            left = _read(masked).get(name, MASK)
            # A password in quotes may be followed by the next parameter without a blank.
            assert left.startswith(MASK), f"{name} is not masked: {masked!r} has {left!r}"
    if known and all(text.strip(MASK) and text not in url.replace(text, "", 1) for text in known):
        assert not any(text in masked for text in known if len(text) >= len(SECRET)), f"left in {masked!r}"


def _read(url: str) -> Mapping[str, str]:
    """What the driver that it is for reads in it; nothing if it refuses."""
    if is_jdbc_url(url):
        properties = read_url(url)
        return {} if isinstance(properties, ConfigError) else {k: reveal(v) for k, v in properties.items()}
    try:
        return parse_conninfo(url)
    except ValueError:
        return {}


def _check_for_programs(url: str, parsed: DatabaseSettings) -> None:
    """The URL without what is confidential says the same to libpq."""
    wanted = {name: value for name, value in parsed.parameters.items() if isinstance(value, str) and value}
    if not wanted:
        return
    if parsed.user:
        wanted["user"] = parsed.user
    assert {name: value for name, value in parse_conninfo(url).items() if value} == wanted


TARGET: Final = Target(
    name="database_url",
    check=check,
    modules=("taxiway.config.url", "taxiway.postgres.jdbc", "taxiway.postgres.url", "taxiway.config.confidential"),
    seeds=tuple(
        settings_and(text.replace("PW", SECRET))
        for text in (
            *(
                "postgresql://u:PW@h:5432/db?sslmode=require",
                "postgresql://h/db?password=PW&user=u",
                "postgres://",
            ),
            *("postgresql://u:p%40w@[::1]/db", "postgresql://u:p@PW@h/db", "postgresql://u:p?PW@h/db?a=b"),
            *("postgresql://h1:1,h2:2/db?target_session_attrs=any", "postgresql:///db?host=/run&port=1"),
            *("host=h password='p\\'PW' user=u", "host = h  sslpassword = PW", "dbname=a\\ b", "passwrd=PW"),
            *("jdbc:postgresql://h:5432/db?user=u&password=PW&ssl=true", "jdbc:postgresql:db?sslpassword=PW"),
            *("jdbc:postgresql://h1,h2:1/db?targetServerType=primary&loadBalanceHosts=true&currentSchema=a b"),
            "jdbc:postgresql://[::1]:5432/%64b?connectTimeout=1.5&socketTimeout=2&queryTimeout=3&readOnly=true",
            "jdbc:postgresql://h/db?sslfactory=org.postgresql.ssl.NonValidatingFactory&ssl&options=-c%20a=b",
            *("jdbc:postgresql://u:PW@h/db", "jdbc:postgresql://h/a/b", "jdbc:postgresql:/h", "jdbc:mysql://h/db"),
            *(
                "jdbc:postgresql://h:0/db",
                "jdbc:postgresql://h/%zz",
                "jdbc:postgresql://h/%ff",
                "jdbc-secretsmanager:x",
            ),
            *(
                "jdbc:postgresql:?sslmod=require",
                "jdbc:postgresql:?xtlsx=1",
                "jdbc:p6spy:postgresql:?socketFactory=x",
            ),
            *("jdbc:aws-wrapper:postgresql://h/d?wrapperPlugins=iam", "jdbc:postgresql:?sslkey=a.p12&sslmode=x"),
            *("jdbc:postgresql:?authenticationPluginClassName=x", "jdbc:postgresql:?sslfactory=x", "u:PW@h/db"),
            *(
                "jdbc:postgresql:?tcpKeepAlive=maybe",
                "jdbc:postgresql:?loginTimeout=x",
                "postgresql+psycopg://u:PW@h/d",
            ),
            *("postgresql://u@[::%251]/db", "host=h  sslpassword=\x1cPW", "jdbc:postgresql:db?sslpassword=PW+"),
            *("postgresql://u?:PW@h:5432/d", "postgresql://u?a:p?PW@h/d?b=c", "postgresql://u?a=b@h/d"),
            *("//u:p?passwd@h?password=PW?x", "password=a\u00a0PW"),
            *("postgresql://h/db?p%61ssword=PW", "jdbc:postgresql://h/db?user=u#password=PW", "service=x"),
        )
    ),
    words=(
        *(
            "postgresql://",
            "postgres://",
            "jdbc:postgresql:",
            "jdbc:",
            "//",
            "/",
            "@",
            ":",
            "?",
            "&",
            "=",
            "'",
            "\\",
        ),
        *(
            "password",
            "sslpassword",
            "user",
            "host",
            "port",
            "dbname",
            "sslmode",
            "%40",
            "%",
            "[::1]",
            ",",
            " ",
            "#",
        ),
        *("ssl=true", "service", SECRET, "p%61ssword", "localhost", "5432", "require", "%25", "%00", "+"),
    ),
    shapes={
        "letters": repeated("a", before="postgresql://"),
        "ats": repeated("@", before="postgresql://"),
        "colons": repeated(":", before="postgresql://"),
        "slashes": repeated("/", before="postgresql://"),
        "question marks": repeated("?", before="postgresql://u:"),
        "passwords and question marks": repeated("a?b@", before="postgresql://u:"),
        "users with question marks": repeated("a?", before="postgresql://", after=":p@"),
        "question marks and colons": repeated("?:", before="postgresql://"),
        "colons, ats": repeated(":@", before="postgresql://u"),
        "pairs": repeated("a=b&", before="postgresql://h/d?"),
        "passwords": repeated("password=b&", before="postgresql://h/d?"),
        "hosts": repeated("h:1,", before="postgresql://", after="/d"),
        "percent signs": repeated("%41", before="postgresql://h/"),
        "schemes": repeated("a:", after="//x"),
        "schemes without an end": repeated("a:"),
        "double slashes": repeated("//"),
        "assignments": repeated("a=b "),
        "passwords of a connection string": repeated("password=b "),
        "quotes": repeated("a='"),
        "backslashes": repeated("\\", before="a='"),
        "escaped quotes": repeated("\\'", before="a='"),
        "words": repeated("a "),
        "one word": repeated("a", after="=b"),
        "blanks before equals signs": repeated("a" + " " * 8, after="="),
        "blanks": repeated(" ", before="a=b c", after="d"),
        "equals signs": repeated("=", before="a"),
        "properties": repeated("user=b&", before="jdbc:postgresql://h/d?"),
        "unknown properties": lambda times: (
            b"jdbc:postgresql://h/d?" + b"&".join(b"k%d=v" % number for number in range(times))
        ),
        "addresses": repeated("h:1,", before="jdbc:postgresql://", after="h/d"),
        "commas": repeated(",", before="jdbc:postgresql://h", after="/d"),
        "plus signs": repeated("+", before="jdbc:postgresql://h/"),
        "jdbc schemes": repeated("jdbc:a", after=":"),
    },
)
