"""Making a deploy key: the private half into its secret, the public half to the Git host."""

from collections.abc import Callable
from dataclasses import dataclass

from taxiway import errors
from taxiway.model.deploy_key import KeyAction, KeyPair, KeyPlan, KeyResult, Registration
from taxiway.model.stored_secret import NewSecret, StoredSecret
from taxiway.ops.make_password import make_version
from taxiway.ops.put_secret import refuse_unusable
from taxiway.ops.seams import DeployKeys, Secrets
from taxiway.secret import Secret


def plan_deploy_key(
    secret_id: str,
    there: StoredSecret | None,
    *,
    may_replace: bool,
    read_public_half: Callable[[], str],
) -> KeyPlan:
    """What making a key comes to. ``read_public_half`` gives that of the secret's present value, when it has one.

    A key that is there already stays: a second call changes nothing.

    Raises:
        SecretExists: The secret has a value that is no key, and it may not be replaced.
        SecretBlocked: It is marked as deleted, or somebody else looks after it.
        AwsError: It could not be read.
    """
    if there is None:
        return KeyPlan(secret_id=secret_id, action=KeyAction.CREATE)
    refuse_unusable(there)
    if there.current_version is None:
        return KeyPlan(secret_id=secret_id, action=KeyAction.REPLACE)
    try:
        present: str | None = read_public_half()
    except errors.SecretMalformed as error:
        if not may_replace:
            raise errors.SecretExists(
                f"The secret '{secret_id}' has a value that is no deploy key: {error.message}",
                hint="Name another secret, or give --replace to put a key in its place.",
            ) from None
        present = None
    if not may_replace:
        return KeyPlan(secret_id=secret_id, action=KeyAction.KEEP, present=present)
    return KeyPlan(
        secret_id=secret_id,
        action=KeyAction.REPLACE,
        present=present,
        consequences=(
            "Runs clone with the new key from then on: without its public half at the Git host they fail.",
            "The old public half stays registered until somebody removes it.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMaker:
    """What making a key takes. ``host`` is ``None`` when nobody registers anything."""

    store: Secrets
    host: DeployKeys | None
    make: Callable[[], KeyPair]
    fingerprint: Callable[[str], str]
    title: str
    kms_key: str | None
    tags: tuple[tuple[str, str], ...]

    def carry_out(self, plan: KeyPlan, repository: str | None) -> KeyResult:
        """Do it. The public half is registered first, so that runs never have a key that opens nothing.

        Raises:
            KeyPairFailed: There is no pair; nothing was changed.
            KeyNotRegistered: The host did not take the public half; nothing was changed.
            SecretError, AwsError: The private half could not be stored. A new registration was taken back.
        """
        if plan.action is KeyAction.KEEP and plan.present:
            return self._result(plan, plan.present, repository, self._register(plan.present))
        pair = self.make()
        registration = self._register(pair.public)
        try:
            self._store(plan, pair.private)
        except errors.TaxiwayError as error:
            self._take_back(registration, error)
            raise
        return self._result(plan, pair.public, repository, registration)

    def _register(self, public: str) -> Registration | None:
        if self.host is None:
            return None
        return self.host.find(public) or self.host.add(public, self.title)

    def _store(self, plan: KeyPlan, private: Secret) -> None:
        version = make_version()
        if plan.action is KeyAction.REPLACE:
            self.store.put(plan.secret_id, private, version=version)
            return
        new = NewSecret(
            name=plan.secret_id, text=private, description=self.title, kms_key=self.kms_key, tags=self.tags
        )
        self.store.create(new, version=version)

    def _take_back(self, registration: Registration | None, error: errors.TaxiwayError) -> None:
        if self.host is None or registration is None or not registration.is_new:
            return
        try:
            self.host.remove(registration)
        except errors.KeyNotRegistered as second:
            todo = f"Remove the key '{self.title}' at the Git host: {second.message}"
            error.hint = f"{error.hint} {todo}" if error.hint else todo

    def _result(
        self, plan: KeyPlan, public: str, repository: str | None, registration: Registration | None
    ) -> KeyResult:
        replaced = plan.present if plan.action is KeyAction.REPLACE else None
        return KeyResult(
            secret_id=plan.secret_id,
            action=plan.action,
            public=public,
            fingerprint=self.fingerprint(public),
            repository=repository,
            registration=registration,
            replaced=self.fingerprint(replaced) if replaced else None,
        )
