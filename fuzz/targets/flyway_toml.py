"""``flyway.toml``, from the file to the settings (:mod:`fuzz.configuration`)."""

from typing import Final

from fuzz.configuration import MODULES, WORDS, check_file, each_option
from fuzz.draw import settings_and
from fuzz.target import Target, repeated

TARGET: Final = Target(
    name="flyway_toml",
    check=check_file("flyway.toml"),
    modules=("taxiway.config.toml", "taxiway.config.resolvers", "taxiway.config.flyway_only", *MODULES),
    seeds=tuple(
        settings_and(text, "0")
        for text in (
            *each_option("flyway.{key} = {value}"),
            '[environments.default]\nurl="jdbc:postgresql://h/db"\nuser="u"\npassword="${env.APP_PASSWORD}"\n',
            '[flyway]\ntarget=1.10\nmixed="true"\nbaselineVersion=1\n[flyway.placeholders]\na=true',
            '[flyway]\ntable=" ${env.STAGE:Ad} $${a.b} ${x "\ndefaultSchema="!{${env.STAGE}}"',
            '[flyway]\ninstalledBy="${env.APP_PASSWORD:aD}"\n[environments.x.resolvers.vault]\nurl="x"',
            '[flyway]\nbatch=true\nstream=true\n[redgateCompare]\na=1\n[database]\nurl="x"\n[flyway.check]\nx=1',
            '[flyway]\ntable="${a${b.c}}"',
            '[flyway]\ntable="${vault.x}"',
            '[flyway]\nlocations=[]\nencoding=""\n[environments.default.jdbcProperties]\npassword="${env:APP_PASSWORD}"',
            '[environments.a]\nprovisioner="clean"\n[environments.a.flyway]\ntarget="2"\n[flyway]\nenvironment="a"',
        )
    ),
    words=(
        *WORDS,
        "[flyway]",
        "[environments.default]",
        "[flyway.placeholders]",
        ":Ad}",
        ".",
        "${",
        "}",
        '"',
        "=",
    ),
    shapes={
        "nested references": repeated("${a", settings="0", before='[flyway]\ntable="', after='"'),
        "dots behind nested references": repeated(".", settings="0", before='[flyway]\ntable="${a${b', after='"'),
        "open and dots": repeated("${a.", settings="0", before='[flyway]\ntable="', after='"'),
        "colons": repeated(":", settings="0", before='[flyway]\ntable="${env.A', after='"'),
        "prefixes": repeated("${", settings="0", before='[flyway]\ntable="', after='"'),
        "escapes": repeated("$${a.", settings="0", before='[flyway]\ntable="', after='"'),
        "unknown keys": lambda times: b"0[flyway]\n" + b"".join(b"k%d=1\n" % n for n in range(times)),
        "unknown keys of environments": lambda times: (
            b"0" + b"".join(b"[environments.e%d]\nx=1\n" % n for n in range(times))
        ),
        "verbatim": repeated("!{", settings="0", before='[flyway]\ntable="', after='"'),
    },
)
