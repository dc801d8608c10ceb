"""Secrets Manager as a dictionary."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from taxiway import errors
from taxiway.model.stored_secret import CURRENT, NewSecret, StoredSecret
from taxiway.secret import Secret


@dataclass
class FakeSecrets:
    """Texts by name; ``stored`` has what is known of those that are odd. ``puts`` is what was written."""

    texts: dict[str, str] = field(default_factory=dict)
    stored: Mapping[str, StoredSecret] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    puts: list[tuple[str, str, str, str]] = field(default_factory=list)
    taken: list[tuple[str, str, str]] = field(default_factory=list)
    fails: errors.TaxiwayError | None = None

    def find(self, secret_id: str) -> StoredSecret | None:
        if secret_id in self.stored:
            return self.stored[secret_id]
        if secret_id not in self.texts:
            return None
        return StoredSecret(name=secret_id, arn=f"arn:{secret_id}", stages={"v1": frozenset({CURRENT})})

    def read(self, secret_id: str) -> Secret:
        if secret_id in self.denied:
            raise errors.AwsAccessDenied("denied", action="read", resource=secret_id, hint="Allow it.")
        return Secret(self.texts[secret_id])

    def create(self, secret: NewSecret, *, version: str) -> str:
        if self.fails:
            raise self.fails
        self.puts.append((secret.name, secret.text.reveal(), version, CURRENT))
        return f"arn:{secret.name}"

    def put(self, secret_id: str, text: Secret, *, version: str, stage: str = CURRENT) -> None:
        if self.fails:
            raise self.fails
        self.puts.append((secret_id, text.reveal(), version, stage))

    def take_stage(self, secret_id: str, stage: str, version: str) -> None:
        self.taken.append((secret_id, stage, version))
