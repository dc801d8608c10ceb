"""What stands before a database of RDS with IAM authentication: it wants TLS and a token, and checks both.

The server behind it is a real one that trusts this machine. The token is checked as AWS checks a signed request
("Authenticating requests: query parameters", AWS manual): by whom it is, for what server, port and user, how long.
"""

import hashlib
import hmac
import ssl
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote

from sandbox.splice import Listener, Message, Peer, pass_on, read_request, refusal
from sandbox.tls import ServerCertificate

_PASSWORD_WANTED: Final = Message(b"R", b"\0\0\0\3")


class IamFront(Listener):
    """``with IamFront(…) as front``: clients connect to ``front.host`` and ``front.port``.

    Attributes:
        tokens: What clients gave as password, in order.
        users: Who has been granted ``rds_iam``.
    """

    def __init__(
        self,
        target: tuple[str, int],
        certificate: ServerCertificate,
        *,
        name: str,
        region: str,
        port: int,
        secret_access_key: str,
    ) -> None:
        """``name``, ``region`` and ``port`` are those that tokens have to be made for."""
        super().__init__()
        self.tokens: list[str] = []
        self.users: set[str] = set()
        self._target, self._place, self._region = target, f"{name}:{port}", region
        self._key = secret_access_key.encode()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate, certificate.key)

    def serve(self, client: Peer) -> None:
        """Let the client in if it has a token."""
        wanted, _ = read_request(client)
        if wanted == "session":
            client.send(refusal("28000", "no pg_hba.conf entry for host, no encryption"))
        elif wanted == "tls":
            client.socket.sendall(b"S")
            with self._context.wrap_socket(client.socket, server_side=True) as encrypted:
                self._serve_encrypted(Peer(encrypted))

    def _serve_encrypted(self, client: Peer) -> None:
        _, parameters = read_request(client)
        client.send(_PASSWORD_WANTED)
        token = client.read().content.rstrip(b"\0").decode()
        self.tokens.append(token)
        user = parameters["user"]
        if user not in self.users or not self._is_valid(token, user):
            client.send(refusal("28000", f'PAM authentication failed for user "{user}"'))
            return
        server = self.connect(*self._target)
        server.send_startup(parameters)
        back = threading.Thread(target=pass_on, args=[server.socket, client.socket], daemon=True)
        back.start()
        pass_on(client.socket, server.socket)
        back.join()

    def _is_valid(self, token: str, user: str) -> bool:
        place, _, query = token.partition("/?")
        given = dict(parse_qsl(query))
        signature = given.pop("X-Amz-Signature", "")
        made = datetime.strptime(given.get("X-Amz-Date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lifetime = timedelta(seconds=int(given.get("X-Amz-Expires", "0")))
        return (
            place == self._place
            and (given.get("Action"), given.get("DBUser")) == ("connect", user)
            and timedelta() < lifetime <= timedelta(minutes=15)
            and datetime.now(UTC) < made + lifetime
            and signature == self._sign(given)
        )

    def _sign(self, parameters: Mapping[str, str]) -> str:
        """The signature of a request with these parameters (AWS Signature Version 4)."""
        day = parameters["X-Amz-Date"][:8]
        pairs = ((quote(name, safe="-_.~"), quote(parameters[name], safe="-_.~")) for name in sorted(parameters))
        query = "&".join(f"{name}={value}" for name, value in pairs)
        request = f"GET\n/\n{query}\nhost:{self._place}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
        scope = f"{day}/{self._region}/rds-db/aws4_request"
        text = "\n".join(
            ("AWS4-HMAC-SHA256", parameters["X-Amz-Date"], scope, hashlib.sha256(request.encode()).hexdigest())
        )
        key = b"AWS4" + self._key
        for part in (day, self._region, "rds-db", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()
