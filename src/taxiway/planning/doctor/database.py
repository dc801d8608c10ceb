"""The database as RDS has it, and as it can be seen from here."""

import re
from collections.abc import Iterator
from typing import Final

from taxiway.errors import DatabaseError
from taxiway.model.doctor import Area, Finding, Gap, Reach, ReachFacts, ServerFacts
from taxiway.model.endpoint import find_rds_endpoint

OLDEST: Final = 14
"""Older ones get no fixes any more (PostgreSQL, "Versioning Policy": 13 ended in November 2025)."""

_AVAILABLE: Final = frozenset(
    {"available", "backing-up", "configuring-enhanced-monitoring", "storage-optimization"}
)
_STOPPED: Final = frozenset({"stopped", "stopping"})
_MAJOR: Final = re.compile(r"\d+")


def judge_server(server: ServerFacts, host: str | None) -> Iterator[Finding]:
    """``host``: what the project connects to, as far as it is known."""
    noun = f"{server.kind} '{server.identifier}'"
    if server.status in _STOPPED:
        yield _finding(
            "database-stopped",
            f"The {noun} is {server.status}.",
            f"aws rds start-db-{server.kind} --db-{server.kind}-identifier {server.identifier}",
        )
    elif server.status not in _AVAILABLE:
        yield _finding(
            "database-not-available",
            f"The {noun} is {server.status}.",
            f"aws rds wait db-{server.kind}-available --db-{server.kind}-identifier {server.identifier}",
        )
    if server.is_replica:
        yield _finding(
            "database-is-replica",
            f"The {noun} is a read replica: migrations cannot be written to it.",
            "Name the database that it follows: database in [task], and the host of the project.",
        )
    if host and host.lower() in {reader.lower() for reader in server.readers}:
        yield _reader(host, server.writer)
    yield from judge_version(server.version)


def judge_iam_login(server: ServerFacts) -> Iterator[Finding]:
    """The project logs in with a token of IAM."""
    if not server.has_iam_login:
        yield _finding(
            "iam-login-off",
            f"The {server.kind} '{server.identifier}' lets nobody log in with IAM, which the project does.",
            f"aws rds modify-db-{server.kind} --db-{server.kind}-identifier {server.identifier} "
            "--enable-iam-database-authentication --apply-immediately",
        )


def judge_expiry(place: str) -> Finding:
    """The server at ``place`` shows a certificate that has expired."""
    return _finding(
        "certificate-expired",
        f"The certificate of the server at {place} has expired, so that nobody can tell who it is.",
        "Renew it at the server. RDS makes another: aws rds modify-db-instance --db-instance-identifier INSTANCE "
        "--ca-certificate-identifier rds-ca-rsa2048-g1 --apply-immediately",
    )


def judge_sleep(server: ServerFacts, error: DatabaseError) -> Gap:
    """A login that has failed as those do that come to a paused database, which a login wakes."""
    return Gap(
        area=Area.LOGIN,
        what="certificate, login, database and writer",
        because=f"the {server.kind} '{server.identifier}' may pause, and seems to be waking up ({error.message})",
        fix="Call it again in a minute. A task waits for it by itself (wakeTimeout).",
    )


def judge_host(host: str) -> Iterator[Finding]:
    """What the name alone says, when RDS could not be asked."""
    known = find_rds_endpoint(host)
    if known and known.writer:
        yield _reader(host, known.writer)


def judge_version(version: str) -> Iterator[Finding]:
    """``version`` as the server or RDS writes it: ``16.4``."""
    major = _MAJOR.match(version)
    if major and int(major[0]) < OLDEST:
        yield _finding(
            "server-too-old",
            f"The server is PostgreSQL {version}, and Taxiway is made for {OLDEST} and newer.",
            f"Upgrade the server to PostgreSQL {OLDEST} or newer.",
        )


def judge_reach(facts: ReachFacts) -> Finding | Gap | None:
    """What it means that a connection from here came so far; ``None`` when the login can be tried."""
    place = f"{facts.host}:{facts.port}"
    if facts.reach is Reach.CONNECTED:
        return None
    if facts.reach is Reach.NAME_UNKNOWN and find_rds_endpoint(facts.host):
        return _finding(
            "host-unknown",
            f"The name {facts.host} cannot be resolved.",
            "Correct the host: aws rds describe-db-clusters --query 'DBClusters[].Endpoint'",
        )
    if facts.reach is Reach.REFUSED and not facts.is_private:
        return _finding(
            "connection-refused",
            f"Nothing listens at {place}.",
            "Correct host and port of the database, or start it.",
        )
    reasons = {
        Reach.NAME_UNKNOWN: f"the name {facts.host} is not known here; it may be in a private zone of the VPC",
        Reach.REFUSED: f"{place} is in a private network, and refuses the connection from here",
        Reach.SILENT: f"{place} does not answer here; a private database does not",
    }
    return Gap(
        area=Area.LOGIN,
        what="certificate, login, database and writer",
        because=reasons[facts.reach],
        fix="Call it again from a network that reaches the database.",
    )


def _reader(host: str, writer: str | None) -> Finding:
    return _finding(
        "reader-endpoint",
        f"{host} is an endpoint for readers: migrations cannot be written there.",
        f"Set the host of the project to the writer: {writer or 'the endpoint of the cluster'}",
    )


def _finding(code: str, message: str, fix: str) -> Finding:
    return Finding(area=Area.DATABASE, code=code, message=message, fix=fix)
