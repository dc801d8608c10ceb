"""The whole way of a task, looked at before anybody runs one. Nothing is changed, and nothing is started."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from taxiway import errors
from taxiway.model.doctor import (
    Area,
    CallerFacts,
    ContainerFacts,
    Diagnosis,
    Finding,
    Gap,
    NetworkFacts,
    ReachFacts,
    Right,
    RoleFacts,
    ServerFacts,
)
from taxiway.model.stored_secret import PASSWORD_KEY, USER_KEY, Purpose, SecretState, SecretUse
from taxiway.model.task import TaskSettings
from taxiway.ops.resolve_target import require_cluster, resolve_addresses, resolve_container, with_stack
from taxiway.ops.seams import Names, Network, Secrets, Stacks
from taxiway.ops.survey_secrets import survey_secrets
from taxiway.planning.doctor.database import (
    judge_expiry,
    judge_host,
    judge_iam_login,
    judge_reach,
    judge_server,
    judge_sleep,
    judge_version,
)
from taxiway.planning.doctor.failures import judge_error, judge_secret
from taxiway.planning.doctor.network import judge_network, judge_way_to_server
from taxiway.planning.doctor.rights import (
    execution_rights,
    judge_rights,
    judge_role,
    login_rights,
    task_rights,
)
from taxiway.planning.doctor.task import (
    find_ecr_image,
    image_gap,
    judge_cluster,
    judge_definition,
    judge_ecr_image,
    judge_image,
    judge_log_group,
)

# arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, and behind it the key, the stage and the version.
_PARTS_OF_ARN: Final = 7


class TaskLooks(Protocol):
    """What a task is made of (:class:`taxiway.aws.task_facts.TaskFacts`)."""

    def get_caller(self) -> CallerFacts:
        """Who we are."""
        ...

    def find_cluster_status(self, name: str) -> str | None:
        """The status of a cluster."""
        ...

    def get_container(self, definition: str, container: str) -> ContainerFacts:
        """A container of a task definition."""
        ...

    def has_log_group(self, group: str, region: str | None) -> bool:
        """Whether it is there."""
        ...

    def has_image(
        self, repository: str, *, account: str, region: str, tag: str | None, digest: str | None
    ) -> bool:
        """Whether ECR has it."""
        ...

    def get_role(self, arn: str) -> RoleFacts:
        """A role, and whom it trusts."""
        ...

    def is_allowed(self, right: Right) -> bool:
        """Whether IAM would allow it."""
        ...


class NetworkLooks(Protocol):
    """The network of a task (:class:`taxiway.aws.network_facts.NetworkReader`)."""

    def get_network(
        self, subnets: Sequence[str], groups: Sequence[str], *, assign_public_ip: bool
    ) -> NetworkFacts:
        """Subnets, groups, routes and endpoints."""
        ...


class ServerLooks(Protocol):
    """Databases (:class:`taxiway.aws.server_facts.ServerReader`)."""

    def get_server(self, name: str) -> ServerFacts:
        """The one of that identifier."""
        ...

    def find_server(self, host: str) -> ServerFacts | None:
        """The one with that endpoint."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What is asked of AWS."""

    stacks: Stacks
    names: Names
    addresses: Network
    task: TaskLooks
    network: NetworkLooks
    servers: ServerLooks
    secrets: Secrets


class ProjectLooks(Protocol):
    """What the project is, in the environment of the container  (``ProjectHere`` of the command line)."""

    @property
    def registry_secret(self) -> str | None:
        """That of ``[secrets]``."""
        ...

    def find_uses(self) -> Sequence[SecretUse]:
        """The secrets that the job reads."""
        ...

    def find_address(self) -> tuple[str, int] | None:
        """Host and port of the database."""
        ...

    def reach(self, host: str, port: int) -> ReachFacts:
        """Whether it can be reached from here."""
        ...

    def log_in(self) -> str:
        """Log in to the database as the job does; the version of the server."""
        ...

    def find_iam_user(self) -> str | None:
        """The database user who logs in with a token of IAM; ``None`` if it is done with a password."""
        ...

    def may_be_waking(self, host: str, error: errors.DatabaseError) -> bool:
        """Whether a login has failed as those do that come to a paused database."""
        ...

    def has_expired_certificate(self, host: str, port: int) -> bool:
        """Whether the server shows a certificate that has expired."""
        ...

    def find_git_host(self) -> str | None:
        """Host of the repository; ``None`` for one that no network is needed for."""
        ...

    def is_private(self, host: str) -> bool:
        """Whether it may be one inside of the task's own network."""
        ...

    def fetch(self) -> None:
        """Fetch what the job fetches."""
        ...


type OpenProject = Callable[[Mapping[str, str]], ProjectLooks]


def diagnose(settings: TaskSettings, connect: Callable[[], Services], open_project: OpenProject) -> Diagnosis:
    """All findings and gaps. What cannot be looked at is one of them itself, and raises no error.

    ``open_project`` is called with the variables of the container.
    """
    examination = _Examination(settings)
    examination.run(connect, open_project)
    return Diagnosis(
        findings=tuple(dict.fromkeys(examination.findings)),
        gaps=tuple(dict.fromkeys(examination.gaps)),
        checked=tuple(examination.checked),
    )


@dataclass(slots=True)
class _Examination:
    settings: TaskSettings
    findings: list[Finding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    checked: dict[Area, None] = field(default_factory=dict)

    # --- noting

    def note(self, found: Iterable[Finding | Gap | None]) -> None:
        for one in found:
            if isinstance(one, Finding):
                self.findings.append(one)
            elif one is not None:
                self.gaps.append(one)

    def look[T](
        self,
        area: Area,
        what: str,
        looking: Callable[[], T],
        judge: Callable[[Area, str, errors.TaxiwayError], Finding | Gap] = judge_error,
    ) -> T | None:
        """What is seen, or ``None`` and a note why nothing was."""
        try:
            seen = looking()
        except errors.TaxiwayError as error:
            judged = judge(area, what, error)
            if isinstance(judged, Finding):
                self.checked[area] = None
            self.note([judged])
            return None
        self.checked[area] = None
        return seen

    def has_findings(self, area: Area) -> bool:
        return any(one.area is area for one in self.findings)

    # --- looking

    def run(self, connect: Callable[[], Services], open_project: OpenProject) -> None:
        services = self.look(Area.CREDENTIALS, "the account", connect)
        caller = services and self.look(Area.CREDENTIALS, "the account", services.task.get_caller)
        if not (services and caller):
            self._give_up("everything in AWS", "nothing can be asked without credentials and a region")
            return
        told = self.look(Area.PROJECT, "the stack", lambda: with_stack(self.settings, services.stacks))
        self.settings = told or self.settings
        if told is None and self.settings.task_definition is None:
            # Else each of them would be told as a setting that somebody has to add.
            self._give_up(
                "cluster, task definition, network and what hangs on them", "the stack does not tell them"
            )
            return
        self._look_at_cluster(services, caller)
        container = self._look_at_definition(services, caller)
        network = self._look_at_network(services)
        if container is None:
            self._give_up("image, log, roles, secrets, database and Git", "the task definition is not known")
            if network:
                self.note(judge_network(network, None, None))
            return
        self._look_at_job(services, caller, container, network, open_project(container.environment))

    def _give_up(self, what: str, because: str) -> None:
        self.gaps.append(Gap(area=Area.TASK_DEFINITION, what=what, because=because, fix="Mend that first."))

    def _look_at_job(
        self,
        services: Services,
        caller: CallerFacts,
        container: ContainerFacts,
        network: NetworkFacts | None,
        project: ProjectLooks,
    ) -> None:
        self._look_at_image(services, container, project)
        self._look_at_log(services, container, caller)
        job = self._look_at_secrets(services, project.find_uses)
        given = self._look_at_secrets(services, lambda: [*_uses_of_definition(container)])
        self._look_at_role(services, container.execution_role, execution_rights(container, given, caller))
        self._look_at_role(services, container.task_role, task_rights(container, job))
        host = self.look(Area.GIT, "the repository", project.find_git_host)
        if network:
            outside = host if host and not project.is_private(host) else None
            self.note(judge_network(network, container, outside))
        self._look_at_database(services, caller, container, network, project)
        if self.has_findings(Area.GIT):
            return
        self.look(Area.GIT, "the repository", project.fetch, self._judge_behind_secrets)

    def _judge_behind_secrets(self, area: Area, what: str, error: errors.TaxiwayError) -> Finding | Gap:
        """A secret that cannot be used has been told as such: it is one fault, and not two."""
        if isinstance(error, errors.SecretError) and self.has_findings(Area.SECRETS):
            return Gap(area=area, what=what, because="the secrets are not in order", fix="Mend that first.")
        return judge_error(area, what, error)

    def _look_at_cluster(self, services: Services, caller: CallerFacts) -> None:
        def looking() -> tuple[str, str | None]:
            name = require_cluster(self.settings)
            return name, services.task.find_cluster_status(name)

        seen = self.look(Area.CLUSTER, "the cluster", looking)
        if seen:
            self.note(judge_cluster(*seen, caller.region))

    def _look_at_definition(self, services: Services, caller: CallerFacts) -> ContainerFacts | None:
        def looking() -> ContainerFacts:
            definition, container = resolve_container(self.settings, services.names)
            return services.task.get_container(definition.arn, container.name)

        container = self.look(Area.TASK_DEFINITION, "the task definition", looking)
        if container:
            self.note(judge_definition(container, caller))
        return container

    def _look_at_network(self, services: Services) -> NetworkFacts | None:
        def looking() -> NetworkFacts:
            subnets, groups = resolve_addresses(self.settings, services.addresses)
            public = bool(self.settings.assign_public_ip)
            return services.network.get_network(subnets, groups, assign_public_ip=public)

        return self.look(Area.NETWORK, "subnets, routes, endpoints and security groups", looking)

    def _look_at_image(self, services: Services, container: ContainerFacts, project: ProjectLooks) -> None:
        self.note(judge_image(container, registry_secret=project.registry_secret))
        self.checked[Area.IMAGE] = None
        self.note([image_gap(container)])
        image = find_ecr_image(container.image)
        if image is None:
            return
        is_there = self.look(
            Area.IMAGE,
            f"whether ECR has image '{container.image}'",
            lambda: services.task.has_image(
                image.name, account=image.account, region=image.region, tag=image.tag, digest=image.digest
            ),
        )
        if is_there is not None:
            self.note(judge_ecr_image(container, is_there=is_there))

    def _look_at_log(self, services: Services, container: ContainerFacts, caller: CallerFacts) -> None:
        log = container.log
        if log is None:
            return
        is_there = self.look(
            Area.LOG, f"log group '{log.group}'", lambda: services.task.has_log_group(log.group, log.region)
        )
        if is_there is not None:
            self.note(judge_log_group(log.group, log.region or caller.region, is_there=is_there))

    def _look_at_secrets(
        self, services: Services, find_uses: Callable[[], Sequence[SecretUse]]
    ) -> list[SecretState]:
        states: list[SecretState] = []
        for use in _by_secret(self.look(Area.PROJECT, "the secrets of the project", find_uses) or ()):
            what = f"secret '{use[0].secret_id}'"
            states += self.look(Area.SECRETS, what, partial(survey_secrets, use, services.secrets)) or ()
        for state in states:
            self.note(judge_secret(state))
        return states

    def _look_at_role(self, services: Services, arn: str | None, rights: Iterable[Right]) -> None:
        if arn is None:
            return
        name = arn.rpartition("/")[2]
        role = self.look(Area.ROLES, f"role '{name}'", lambda: services.task.get_role(arn))
        if role:
            self.note(judge_role(role))
        if role and role.services is None:
            return
        self._look_at_rights(services, arn, rights)

    def _look_at_rights(self, services: Services, arn: str, rights: Iterable[Right]) -> None:
        decisions = self.look(
            Area.ROLES,
            f"what role '{arn.rpartition('/')[2]}' may do",
            lambda: [(right, services.task.is_allowed(right)) for right in rights],
        )
        self.note(judge_rights(decisions or ()))

    def _look_at_database(
        self,
        services: Services,
        caller: CallerFacts,
        container: ContainerFacts,
        network: NetworkFacts | None,
        project: ProjectLooks,
    ) -> None:
        if self.has_findings(Area.SECRETS):
            gap = Gap(
                area=Area.LOGIN,
                what="certificate, login, database and writer",
                because="the secrets are not in order",
                fix="Mend that first.",
            )
            self.gaps.append(gap)
        address = self.look(
            Area.PROJECT, "the address of the database", project.find_address, self._judge_behind_secrets
        )
        server = self._look_at_server(services, address[0] if address else None)
        if server:
            self.note(judge_server(server, address[0] if address else None))
            self._look_at_iam_login(services, caller, container, server, project)
            if network:
                self.note(judge_way_to_server(network, server))
        elif address:
            self.note(judge_host(address[0]))
        if address and not self.has_findings(Area.SECRETS):
            self._log_in(project, server, *address)

    def _look_at_iam_login(
        self,
        services: Services,
        caller: CallerFacts,
        container: ContainerFacts,
        server: ServerFacts,
        project: ProjectLooks,
    ) -> None:
        user = self.look(
            Area.PROJECT, "how the project logs in", project.find_iam_user, self._judge_behind_secrets
        )
        if user:
            self.note(judge_iam_login(server))
            rights = [*login_rights(container, server, user, caller)]
            if rights:
                self._look_at_rights(services, rights[0].role, rights)

    def _look_at_server(self, services: Services, host: str | None) -> ServerFacts | None:
        name = self.settings.database
        if name is not None:
            return self.look(
                Area.DATABASE, f"database '{name}'", lambda: services.servers.get_server(name.lower())
            )
        if host is None:
            return None
        return self.look(Area.DATABASE, f"the database at {host}", lambda: services.servers.find_server(host))

    def _log_in(self, project: ProjectLooks, server: ServerFacts | None, host: str, port: int) -> None:
        judged = judge_reach(project.reach(host, port))
        self.note([judged])
        if judged is not None:
            return

        def judge(area: Area, what: str, error: errors.TaxiwayError) -> Finding | Gap:
            if isinstance(error, errors.CertificateRejected) and project.has_expired_certificate(host, port):
                return judge_expiry(f"{host}:{port}")
            if server and server.can_pause and isinstance(error, errors.DatabaseError):
                is_asleep = project.may_be_waking(host, error)
                return judge_sleep(server, error) if is_asleep else judge_error(area, what, error)
            return judge_error(area, what, error)

        version = self.look(Area.LOGIN, "certificate, login, database and writer", project.log_in, judge)
        self.note(judge_version(version or ""))


def _by_secret(uses: Sequence[SecretUse]) -> list[list[SecretUse]]:
    """One that may not be looked at does not hide the others."""
    grouped: dict[str, list[SecretUse]] = {}
    for use in uses:
        grouped.setdefault(use.secret_id, []).append(use)
    return [*grouped.values()]


def _uses_of_definition(container: ContainerFacts) -> Iterable[SecretUse]:
    """The secrets that the execution role reads; a ``valueFrom`` may also name a parameter of Systems Manager."""
    if container.registry_secret:
        for key in (USER_KEY, PASSWORD_KEY):
            origin = f"repositoryCredentials of {container.definition}"
            yield SecretUse(secret_id=container.registry_secret, purpose=Purpose.REGISTRY, origin=origin, key=key)
    for name, value in container.secrets.items():
        arn, key = ":".join(value.split(":")[:_PARTS_OF_ARN]), "".join(value.split(":")[_PARTS_OF_ARN:][:1])
        if ":secretsmanager:" in arn:
            origin = f"variable {name} of {container.definition}"
            yield SecretUse(secret_id=arn, purpose=Purpose.REFERENCE, origin=origin, key=key or None)
