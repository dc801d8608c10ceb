"""A private certificate authority, and the certificate of a server on this machine."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """Three PEM files.

    Attributes:
        authority: The certificate of the authority: what a client has to trust.
        certificate: The server's certificate with its chain.
        key: The server's private key; only its owner can read it.
    """

    authority: Path
    certificate: Path
    key: Path


def make_server_certificate(directory: Path, *names: str, until: datetime | None = None) -> ServerCertificate:
    """Make an authority that nobody else knows and let it certify a server at 127.0.0.1, localhost and names.

    ``until``: the end of the server's certificate, which may have been.
    """
    import trustme  # brings in cryptography, which only a starting server needs

    directory.mkdir(parents=True, exist_ok=True)
    files = ServerCertificate(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost", *names, not_after=until)
    authority.cert_pem.write_to_path(files.authority)
    for number, certificate in enumerate(server.cert_chain_pems):
        certificate.write_to_path(files.certificate, append=number > 0)
    files.key.touch(mode=0o600)
    server.private_key_pem.write_to_path(files.key)
    return files
