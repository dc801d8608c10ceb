"""Systems Manager: sessions that forward to a port of another host."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from taxiway.aws.errors import error_message, translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsNotFound, TunnelSessionFailed, TunnelTargetNotConnected
from taxiway.model.tunnel import SsmSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.exceptions import ClientError
    from types_boto3_ssm import SSMClient

    from taxiway.errors import TaxiwayError

# What Session Manager's own clients use for this (Systems Manager User Guide, "Port forwarding to a remote host").
DOCUMENT: Final = "AWS-StartPortForwardingSessionToRemoteHost"


@final
@dataclass(slots=True)
class SsmSessions:
    """Sessions through one target to one host (:class:`taxiway.tunnel.ssm.Sessions`).

    Attributes:
        target: The id of an instance, or ``ecs:CLUSTER_TASK_RUNTIME``.
        words: What messages call it.
    """

    place: Place
    target: str
    words: str
    host: str
    port: int

    def start(self) -> SsmSession:
        """Begin one.

        Raises:
            TunnelTargetNotConnected: The target is not connected to Systems Manager.
            AwsError: AWS refused or could not be asked.
        """
        known: Mapping[str, Callable[[ClientError], TaxiwayError]] = {
            "TargetNotConnected": self._not_connected,
            "InvalidInstanceId": self._not_connected,
            "ValidationException": lambda error: TunnelSessionFailed(
                f"Systems Manager does not begin a session: {error_message(error)}.",
                hint="Check target and endpoint of [tunnel].",
            ),
        }
        with translating("ssm:StartSession", self.target, known):
            answer = self._client().start_session(
                Target=self.target,
                DocumentName=DOCUMENT,
                Reason="taxiway tunnel",
                Parameters={"host": [self.host], "portNumber": [str(self.port)]},
            )
        return SsmSession(id=answer["SessionId"], url=answer["StreamUrl"], token=answer["TokenValue"])

    def resume(self, session: SsmSession) -> SsmSession | None:
        """The same with a token for another connection; ``None`` if it is over. Raises ``AwsError``."""
        known: Mapping[str, Callable[[ClientError], TaxiwayError]] = {
            "DoesNotExistException": lambda _: AwsNotFound("It is over.", kind="session", name=session.id)
        }
        try:
            with translating("ssm:ResumeSession", session.id, known):
                answer = self._client().resume_session(SessionId=session.id)
        except AwsNotFound:
            return None
        token = answer.get("TokenValue")
        return (
            SsmSession(id=session.id, url=answer.get("StreamUrl") or session.url, token=token) if token else None
        )

    def terminate(self, session: SsmSession) -> None:
        """End one. Raises ``AwsError``."""
        with translating("ssm:TerminateSession", session.id):
            self._client().terminate_session(SessionId=session.id)

    def _client(self) -> "SSMClient":
        # A new one each time: after a night the credentials of the old one may be over.
        return client("ssm", self.place)

    def _not_connected(self, error: "ClientError") -> TunnelTargetNotConnected:
        return TunnelTargetNotConnected(
            f"{self.words} is not connected to Systems Manager: {error_message(error)}",
            hint="Check that it runs, that its role has AmazonSSMManagedInstanceCore, and that it reaches "
            "ssmmessages (NAT or VPC endpoint): aws ssm describe-instance-information.",
        )
