"""``flyway.conf``, from the file to the settings (:mod:`fuzz.configuration`)."""

from typing import Final

from fuzz.configuration import MODULES, WORDS, check_file, each_option
from fuzz.draw import settings_and
from fuzz.target import Target, repeated

TARGET: Final = Target(
    name="flyway_conf",
    check=check_file("flyway.conf"),
    modules=("taxiway.config.conf", "taxiway.config.flyway_only", "taxiway.scan.properties", *MODULES),
    seeds=tuple(
        settings_and(text, "0")
        for text in (
            *each_option("flyway.{key}=true"),
            "flyway.url=jdbc:postgresql://h/db?user=u&password=${APP_PASSWORD}\nflyway.user=x\nflyway.password=y",
            "flyway.locations=filesystem:sql,classpath:db\nflyway.placeholders.a=${STAGE}\nother.key=1\n# c",
            "flyway.placeholders.password=${APP_PASSWORD}\nflyway.table=${APP_PASSWORD}\nflyway.mixed=${APP_PASSWORD}",
            "flyway.url=batch=1 target=2",
            "flyway.${APP_PASSWORD}=1",
            "flyway.tabel=x\nflyway.check.x=y\nflyway.batch=true\nflyway.vault.token=x",
            "flyway.connectRetries=1\nflyway.target=next\nflyway.encoding=ISO-8859-1\nflyway.x\\\n=y",
            "flyway.${LINES}=1\nflyway.jdbcProperties.password=x\nflyway.environment=prod",
            "flyway.environments.prod.url=x\nflyway.placeholders.=x\nflyway.placeholders=x",
        )
    ),
    words=(
        *WORDS,
        "flyway.",
        "=",
        "${STAGE}",
        "${APP_PASSWORD}",
        "${LINES}",
        "${",
        "}",
        ",",
        "\\\n",
        "placeholders.",
    ),
    shapes={
        "unknown keys": lambda times: b"0" + b"".join(b"flyway.k%d=1\n" % n for n in range(times)),
        "keys of others": lambda times: b"0" + b"".join(b"k%d=1\n" % n for n in range(times)),
        "placeholders": lambda times: b"0" + b"".join(b"flyway.placeholders.k%d=1\n" % n for n in range(times)),
        "passwords": lambda times: (
            b"0" + b"".join(b"flyway.placeholders.password%d=%d\n" % (n, n) for n in range(times))
        ),
        "variables": repeated("${STAGE}", settings="0", before="flyway.table="),
        "secret variables": repeated("${APP_PASSWORD}", settings="0", before="flyway.table="),
        "open variables": repeated("${A", settings="0", before="flyway.table="),
        "items": repeated("a,", settings="0", before="flyway.locations="),
        "a long key": repeated("a", settings="0", before="flyway.", after="=1"),
        "dots of a key": repeated("a.", settings="0", before="flyway.", after="=1"),
    },
)
