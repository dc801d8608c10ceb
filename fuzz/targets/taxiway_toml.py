"""``taxiway.toml``, from the file to the settings (:mod:`fuzz.configuration`)."""

from typing import Final

from fuzz.configuration import MODULES, WORDS, check_file, each_option
from fuzz.draw import settings_and
from fuzz.target import Target, repeated

TARGET: Final = Target(
    name="taxiway_toml",
    check=check_file("taxiway.toml"),
    modules=("taxiway.config.toml", "taxiway.config.roles", "taxiway.config.resolvers", *MODULES),
    seeds=tuple(
        settings_and(text, "0")
        for text in (
            *each_option("{path} = {value}"),
            '[flyway]\nlocations = ["filesystem:sql"]\ntarget = "1.2?"\noutOfOrder = true\nplaceholders.a = "b"',
            '[database]\nurl = "jdbc:postgresql://h/db?sslmode=require"\nuser = "u"',
            '[database]\npassword = "${env:APP_PASSWORD}"\njdbcProperties = {password = "${secret:a}"}',
            '[flyway]\nenvironment="prod"\n[environments.prod]\nurl = "${env:URL}"\nflyway.target = "1"',
            '[flyway]\nenvironment="${env:APP_PASSWORD}"',
            '[flyway]\nenvironment="${env:STAGE}"\n[environments.prd]',
            '[flyway.placeholders]\na = "${placeholder:b}"\nb = "${secret:x#y} ${env:STAGE} $${"',
            '[flyway.placeholders]\na = "${placeholder:a}"\nflyway = 1',
            '[flyway.placeholders]\na = "${placeholder:b}"',
            '[flyway]\ntable = "${env:APP_PASSWORD}"\ninstalledBy = "${secret:x}"',
            '[flyway]\nerrorOverrides = ["42P07:0:W-", "*:*:E"]\ncherryPick=["1","x"]',
            '[flyway]\nerrorOverrides = ["*:*:E"]\nbatch = true',
            '[flyway]\ntabel = "x"\n[flway]\n[environments.x]\nnothing=1\n[database]\nhost=1979-05-27',
            "[flyway]\nmixed = 1\n",
            "[flyway]\nlocations = [[]]\n",
            "flyway = 1",
            "[environments]\nprod = 1\n",
            '[flyway]\ncleanDisabled = "${env:APP_PASSWORD}"',
            '[database]\nurl = "postgresql://u:pw@h/db"',
            '[database]\nurl = "batch=1 target=2"',
            '[flyway]\ntable="${git:x}" \nschemas=["${nothing:x}"]',
            '[flyway]\ntable="${env:NOT_SET}"',
            '[roles.a]\nsecret = "x#y"\ngrants = "read"\nschemas = ["s"]\nmember_of = ["b"]\nconnection_limit = 1',
            '[roles."A b"]\npassword = "${secret:x#y}"\nvalid_until = 2027-01-31T12:00:00Z\nlogin = true',
            '[roles.pg_x]\n[roles.b]\nsecret = 1\nsecrets = "x"\nbefore_migrations = "no"',
            "\ufeff[flyway]\n",
            "\udcff",
        )
    ),
    words=(
        *WORDS,
        "[flyway]",
        "[database]",
        "[environments.prod]",
        "[flyway.placeholders]",
        '"',
        '"""',
        "=",
        "[",
        "]",
    ),
    shapes={
        "sections": lambda times: _numbered("[environments.e{}]\n", times),
        "unknown keys": lambda times: b"0[flyway]\n" + _numbered("k{}=1\n", times)[1:],
        "unknown keys of environments": lambda times: _numbered("[environments.e{}]\nx=1\n", times),
        "roles": lambda times: _numbered('[roles.r{}]\nsecret="x"\n', times),
        "placeholders": lambda times: b"0[flyway.placeholders]\n" + _numbered('k{}="x"\n', times)[1:],
        "secrets": lambda times: (
            b"0[flyway.placeholders]\n" + _numbered('password{0}="${{secret:{0}}}"\n', times)[1:]
        ),
        "chained placeholders": lambda times: (
            b'0[flyway.placeholders]\nk0="x"\n'
            + "".join(f'k{n}="${{placeholder:k{n - 1}}}"\n' for n in range(1, times)).encode()
        ),
        "items of a list": repeated('"a",', settings="0", before="[flyway]\nlocations=[", after="]"),
        "references": repeated("${env:STAGE}", settings="0", before='[flyway]\ntable="', after='"'),
        "open references": repeated("${", settings="0", before='[flyway]\ntable="', after='"'),
        "escaped references": repeated("$${", settings="0", before='[flyway]\ntable="', after='"'),
        "dots of a reference": repeated(".", settings="0", before='[flyway]\ntable="${a', after='"'),
        "nested arrays": repeated("[", settings="0", before="[flyway]\nlocations="),
        "nested tables": repeated("{a=", settings="0", before="[flyway]\nplaceholders="),
        "dotted keys": repeated("a.", settings="0", before="[flyway]\n", after="a=1"),
        "a long key": repeated("a", settings="0", before="[flyway]\n", after="=1"),
        "a long password": repeated(":", settings="0", before='[database]\nurl="postgresql://u', after='"'),
        "items of errorOverrides": repeated(
            '"*:*:W",', settings="0", before="[flyway]\nerrorOverrides=[", after="]"
        ),
    },
)


def _numbered(line: str, times: int) -> bytes:
    return b"0" + "".join(line.format(number) for number in range(times)).encode()
