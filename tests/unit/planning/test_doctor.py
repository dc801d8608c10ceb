"""Each fault of the way of a task is named with its fix; a healthy way gives no finding."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from taxiway import errors
from taxiway.model.doctor import (
    Area,
    CallerFacts,
    ContainerFacts,
    EndpointFacts,
    Finding,
    Gap,
    GroupFacts,
    NetworkFacts,
    Reach,
    ReachFacts,
    Right,
    RoleFacts,
    Rule,
    ServerFacts,
    SubnetFacts,
)
from taxiway.model.stored_secret import Finding as SecretFinding
from taxiway.model.stored_secret import Purpose, SecretProblem, SecretState, SecretUse, StoredSecret
from taxiway.model.task import LogTarget
from taxiway.planning.doctor.database import (
    judge_host,
    judge_iam_login,
    judge_reach,
    judge_server,
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

CALLER = CallerFacts(arn="arn:aws:sts::111122223333:assumed-role/me/x", account="111122223333", region="eu-west-1")
DIGEST = f"sha256:{'a' * 64}"
IMAGE = f"ghcr.example/taxiway@{DIGEST}"
ECR = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/taxiway@{DIGEST}"
EXECUTION = "arn:aws:iam::111122223333:role/execution"
TASK = "arn:aws:iam::111122223333:role/task"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"
CONTAINER = ContainerFacts(
    definition="taxiway:7",
    container="taxiway",
    image=IMAGE,
    network_mode="awsvpc",
    compatibilities=("FARGATE",),
    execution_role=EXECUTION,
    task_role=TASK,
    environment={"REGION": "eu-west-1"},
    log=LogTarget(group="/taxiway", prefix="run"),
)
ALL_OUT = (Rule(protocol="-1", ranges=("0.0.0.0/0",)),)
TASKS = GroupFacts(id="sg-task", vpc="vpc-1", egress=ALL_OUT)
DATABASE = GroupFacts(
    id="sg-db",
    vpc="vpc-1",
    ingress=(Rule(protocol="tcp", first=5432, last=5432, groups=("sg-task",)),),
)
SUBNET = SubnetFacts(id="subnet-a", vpc="vpc-1", range="10.0.1.0/24", way_out="nat-1")
CLOSED = replace(SUBNET, way_out=None)
NETWORK = NetworkFacts(subnets=(SUBNET,), groups=(TASKS,))
DOOR = GroupFacts(
    id="sg-door",
    vpc="vpc-1",
    ingress=(Rule(protocol="tcp", first=443, last=443, ranges=("10.0.0.0/16",)),),
)
ENDPOINTS = tuple(
    EndpointFacts(service=name, has_private_dns=True, groups=(DOOR,)) for name in ("secretsmanager", "logs")
)
WRITER = "db.cluster-abc.eu-west-1.rds.amazonaws.com"
READER = "db.cluster-ro-abc.eu-west-1.rds.amazonaws.com"
SERVER = ServerFacts(
    identifier="db",
    kind="cluster",
    status="available",
    version="16.4",
    port=5432,
    writer=WRITER,
    readers=(READER,),
    vpc="vpc-1",
    groups=(DATABASE,),
)

# What [infra.endpoints] makes: out to the groups of the endpoints, to the list of S3, to the database, and no further.
BEHIND_ENDPOINTS = replace(
    TASKS,
    egress=(
        Rule(protocol="tcp", first=443, last=443, groups=("sg-door",)),
        Rule(protocol="tcp", first=443, last=443, lists=("pl-s3",)),
        Rule(protocol="tcp", first=5432, last=5432, groups=("sg-db",)),
    ),
)
LISTED = replace(DATABASE, ingress=(Rule(protocol="tcp", first=5432, last=5432, lists=("pl-subnets",)),))

type Found = Iterable[Finding]


def without_nat(endpoints: tuple[EndpointFacts, ...] = ENDPOINTS) -> NetworkFacts:
    return replace(NETWORK, subnets=(CLOSED,), endpoints=endpoints)


HEALTHY: list[Callable[[], Found]] = [
    lambda: judge_cluster("apps", "ACTIVE", "eu-west-1"),
    lambda: judge_definition(CONTAINER, CALLER),
    lambda: judge_image(CONTAINER, registry_secret=None),
    lambda: judge_image(replace(CONTAINER, registry_secret="arn"), registry_secret="ghcr"),
    lambda: judge_image(replace(CONTAINER, image=ECR), registry_secret="ghcr"),
    lambda: judge_ecr_image(replace(CONTAINER, image=ECR), is_there=True),
    lambda: judge_log_group("/taxiway", "eu-west-1", is_there=True),
    lambda: judge_role(RoleFacts(arn=TASK, services=("ecs-tasks.amazonaws.com",))),
    lambda: judge_network(NETWORK, CONTAINER, "github.com"),
    lambda: judge_network(without_nat(), CONTAINER, None),
    lambda: judge_network(replace(without_nat(), groups=(BEHIND_ENDPOINTS,)), CONTAINER, None),
    lambda: judge_way_to_server(replace(without_nat(), groups=(BEHIND_ENDPOINTS,)), SERVER),
    lambda: judge_way_to_server(NETWORK, replace(SERVER, groups=(LISTED,))),
    lambda: judge_network(
        replace(NETWORK, subnets=(replace(SUBNET, way_out="igw-1"),), assign_public_ip=True), CONTAINER, "g"
    ),
    lambda: judge_way_to_server(NETWORK, SERVER),
    lambda: judge_way_to_server(
        NETWORK,
        replace(SERVER, groups=(replace(DATABASE, ingress=(Rule(protocol="-1", ranges=("10.0.0.0/8",)),)),)),
    ),
    lambda: judge_server(SERVER, WRITER),
    lambda: judge_iam_login(replace(SERVER, has_iam_login=True)),
    lambda: judge_host(WRITER),
    lambda: judge_version("18.1"),
]


@pytest.mark.parametrize("judge", HEALTHY)
def test_what_is_healthy_gives_no_finding(judge: Callable[[], Found]) -> None:
    assert [*judge()] == []


FAULTS: list[tuple[str, Callable[[], Found], str]] = [
    ("cluster-unknown", lambda: judge_cluster("apps", None, "eu-west-1"), "taxiway infra deploy"),
    ("cluster-inactive", lambda: judge_cluster("apps", "INACTIVE", "eu-west-1"), "aws ecs create-cluster"),
    ("network-mode-wrong", lambda: judge_definition(replace(CONTAINER, network_mode=""), CALLER), "awsvpc"),
    (
        "fargate-not-supported",
        lambda: judge_definition(replace(CONTAINER, compatibilities=("EC2",)), CALLER),
        "requiresCompatibilities: [FARGATE]",
    ),
    ("log-not-readable", lambda: judge_definition(replace(CONTAINER, log=None), CALLER), "awslogs-group"),
    (
        "region-differs",
        lambda: judge_definition(replace(CONTAINER, environment={"REGION": "eu-west-2"}), CALLER),
        "--region eu-west-2",
    ),
    (
        "execution-role-not-set",
        lambda: judge_definition(replace(CONTAINER, execution_role=None), CALLER),
        "executionRoleArn",
    ),
    ("task-role-not-set", lambda: judge_definition(replace(CONTAINER, task_role=None), CALLER), "taskRoleArn"),
    (
        "image-without-digest",
        lambda: judge_image(replace(CONTAINER, image="ghcr.example/taxiway:1"), registry_secret=None),
        "@sha256:DIGEST",
    ),
    ("image-without-credentials", lambda: judge_image(CONTAINER, registry_secret="ghcr"), "repositoryCredentials"),
    (
        "image-missing",
        lambda: judge_ecr_image(replace(CONTAINER, image=ECR), is_there=False),
        "aws ecr describe-images --repository-name 'team/taxiway'",
    ),
    (
        "log-group-missing",
        lambda: judge_log_group("/taxiway", "eu-west-1", is_there=False),
        "aws logs create-log-group --log-group-name '/taxiway' --region eu-west-1",
    ),
    ("role-missing", lambda: judge_role(RoleFacts(arn=TASK, services=None)), "taxiway infra deploy"),
    (
        "role-not-trusted",
        lambda: judge_role(RoleFacts(arn=TASK, services=("ec2.amazonaws.com",))),
        "ecs-tasks.amazonaws.com",
    ),
    (
        "right-missing",
        lambda: judge_rights([(Right(role=TASK, action="kms:Decrypt", resource=KEY, purpose="read it"), False)]),
        f'"Action": "kms:Decrypt", "Resource": "{KEY}"',
    ),
    (
        "subnet-in-other-vpc",
        lambda: judge_network(
            replace(NETWORK, subnets=(SUBNET, replace(SUBNET, id="subnet-b", vpc="vpc-2"))), CONTAINER, None
        ),
        "subnets of one VPC",
    ),
    (
        "group-in-other-vpc",
        lambda: judge_network(replace(NETWORK, groups=(replace(TASKS, vpc="vpc-2"),)), CONTAINER, None),
        "security group of vpc-1",
    ),
    (
        "vpc-without-dns",
        lambda: judge_network(replace(NETWORK, has_dns=False), CONTAINER, None),
        "--enable-dns-support",
    ),
    (
        "group-closed-outwards",
        lambda: judge_network(replace(NETWORK, groups=(replace(TASKS, egress=()),)), CONTAINER, None),
        "authorize-security-group-egress --group-id sg-task --protocol tcp --port 443",
    ),
    (
        "no-route",
        lambda: judge_network(replace(NETWORK, subnets=(CLOSED,)), CONTAINER, "github.com"),
        "aws ec2 create-route",
    ),
    (
        "no-public-address",
        lambda: judge_network(
            replace(NETWORK, subnets=(replace(SUBNET, way_out="igw-1"),)), CONTAINER, "github.com"
        ),
        "assign_public_ip = true",
    ),
    (
        "endpoint-missing",
        lambda: judge_network(without_nat(ENDPOINTS[:1]), CONTAINER, None),
        "com.amazonaws.REGION.logs --vpc-endpoint-type Interface --subnet-ids subnet-a",
    ),
    (
        "endpoint-without-dns",
        lambda: judge_network(
            without_nat((replace(ENDPOINTS[0], has_private_dns=False), ENDPOINTS[1])), CONTAINER, None
        ),
        "--private-dns-enabled",
    ),
    (
        "endpoint-closed",
        lambda: judge_network(
            without_nat((replace(ENDPOINTS[0], groups=(replace(DOOR, ingress=()),)), ENDPOINTS[1])),
            CONTAINER,
            None,
        ),
        "--group-id sg-door --protocol tcp --port 443 --cidr 10.0.1.0/24",
    ),
    ("git-host-without-route", lambda: judge_network(without_nat(), CONTAINER, "github.com"), "NAT gateway"),
    (
        "database-in-other-vpc",
        lambda: judge_way_to_server(NETWORK, replace(SERVER, vpc="vpc-2")),
        "subnets of vpc-2",
    ),
    (
        "database-group-closed",
        lambda: judge_way_to_server(NETWORK, replace(SERVER, groups=(replace(DATABASE, ingress=()),))),
        "authorize-security-group-ingress --group-id sg-db --protocol tcp --port 5432 --source-group sg-task",
    ),
    (
        "group-closed-outwards",
        lambda: judge_way_to_server(
            replace(
                NETWORK,
                groups=(
                    replace(TASKS, egress=(Rule(protocol="tcp", first=443, last=443, ranges=("0.0.0.0/0",)),)),
                ),
            ),
            SERVER,
        ),
        "--port 5432",
    ),
    (
        "database-stopped",
        lambda: judge_server(replace(SERVER, status="stopped"), None),
        "aws rds start-db-cluster --db-cluster-identifier db",
    ),
    (
        "database-not-available",
        lambda: judge_server(replace(SERVER, status="modifying"), None),
        "aws rds wait db-cluster-available",
    ),
    ("database-is-replica", lambda: judge_server(replace(SERVER, is_replica=True), None), "database in [task]"),
    (
        "iam-login-off",
        lambda: judge_iam_login(SERVER),
        "aws rds modify-db-cluster --db-cluster-identifier db --enable-iam-database-authentication",
    ),
    ("reader-endpoint", lambda: judge_server(SERVER, READER), WRITER),
    ("reader-endpoint", lambda: judge_host(READER), WRITER),
    ("server-too-old", lambda: judge_version("12.19"), "Upgrade the server"),
    (
        "host-unknown",
        lambda: filter_findings(judge_reach(ReachFacts(host=WRITER, port=5432, reach=Reach.NAME_UNKNOWN))),
        "describe-db-clusters",
    ),
    (
        "connection-refused",
        lambda: filter_findings(judge_reach(ReachFacts(host="127.0.0.1", port=1, reach=Reach.REFUSED))),
        "host and port",
    ),
]


def filter_findings(judged: Finding | Gap | None) -> list[Finding]:
    return [judged] if isinstance(judged, Finding) else []


@pytest.mark.parametrize(("code", "judge", "fix"), FAULTS)
def test_each_fault_is_named_with_its_fix(code: str, judge: Callable[[], Found], fix: str) -> None:
    [finding] = judge()
    assert finding.code == code
    assert fix in finding.fix


@pytest.mark.parametrize("fault", [one for one in SecretFinding if one is not SecretFinding.UNREADABLE])
def test_each_fault_of_a_secret_is_a_finding_with_the_fix_of_the_survey(fault: SecretFinding) -> None:
    problem = SecretProblem(finding=fault, message="It is so.", fix="Do that.")
    [judged] = judge_secret(SecretState(secret_id="s", uses=(), stored=None, problems=(problem,)))
    assert judged == Finding(area=Area.SECRETS, code=f"secret-{fault.value}", message="It is so.", fix="Do that.")


def test_a_secret_that_only_we_may_not_read_is_a_gap() -> None:
    problem = SecretProblem(finding=SecretFinding.UNREADABLE, message="AWS denied it.", fix="Allow it.")
    [judged] = judge_secret(SecretState(secret_id="s", uses=(), stored=None, problems=(problem,)))
    assert isinstance(judged, Gap)
    assert judged.action == "secretsmanager:GetSecretValue"


@pytest.mark.parametrize(
    "error",
    [
        errors.NoCredentials("None.", hint="Log in."),
        errors.CredentialsExpired("Expired.", hint="Log in again."),
        errors.AwsUnreachable("Nobody there.", hint="Check the region."),
        errors.AwsNotFound("There is none.", kind="subnet", name="x", hint="Did you mean 'y'?"),
        errors.AuthenticationFailed("Wrong password."),
        errors.DatabaseNotFound("No such database."),
        errors.CertificateRejected("Expired.", hint="Renew it."),
        errors.ReadOnlyServer("It follows another one.", hint="Name the writer."),
        errors.GitAuthRejected("Refused.", hint="Add the key."),
        errors.GitHostKeyRejected("Not known.", hint="Give its line."),
        errors.GitRefNotFound("No such branch.", hint="Did you mean 'main'?"),
    ],
)
def test_an_error_is_a_finding_of_the_same_code_with_a_fix(error: errors.TaxiwayError) -> None:
    judged = judge_error(Area.LOGIN, "it", error)
    assert isinstance(judged, Finding)
    assert (judged.code, judged.message) == (error.code, error.message)
    assert judged.fix == error.hint or not error.hint
    assert judged.fix


def test_what_may_not_be_looked_at_is_a_gap_with_the_missing_action() -> None:
    error = errors.AwsAccessDenied("AWS denied it.", action="iam:GetRole", resource="task", hint="Allow it.")
    judged = judge_error(Area.ROLES, "role 'task'", error)
    assert judged == Gap(
        area=Area.ROLES,
        what="role 'task'",
        because="iam:GetRole is not allowed",
        fix="Allow it.",
        action="iam:GetRole",
    )


@pytest.mark.parametrize("error", [errors.AwsThrottled("Busy."), errors.GitUnreachable("Nobody there.")])
def test_what_says_nothing_of_the_task_is_a_gap(error: errors.TaxiwayError) -> None:
    assert isinstance(judge_error(Area.GIT, "the repository", error), Gap)


@pytest.mark.parametrize(
    "facts",
    [
        ReachFacts(host=WRITER, port=5432, reach=Reach.SILENT, is_private=True),
        ReachFacts(host=WRITER, port=5432, reach=Reach.REFUSED, is_private=True),
        ReachFacts(host="db.corp.internal", port=5432, reach=Reach.NAME_UNKNOWN),
    ],
)
def test_a_private_database_that_cannot_be_seen_from_here_is_a_gap_and_never_fine(facts: ReachFacts) -> None:
    judged = judge_reach(facts)
    assert isinstance(judged, Gap)
    assert facts.host in judged.because


def test_a_database_that_can_be_reached_is_logged_in_to() -> None:
    assert judge_reach(ReachFacts(host="127.0.0.1", port=5432, reach=Reach.CONNECTED)) is None


def test_an_image_of_another_registry_cannot_be_asked_for() -> None:
    assert image_gap(CONTAINER)
    assert image_gap(replace(CONTAINER, image=ECR)) is None


@pytest.mark.parametrize(
    ("image", "tag", "digest"),
    [(ECR, None, DIGEST), (ECR.partition("@")[0] + ":1.2", "1.2", None), (ECR.partition("@")[0], None, None)],
)
def test_an_image_of_ecr_is_taken_apart(image: str, tag: str | None, digest: str | None) -> None:
    found = find_ecr_image(image)
    assert found == ("111122223333", "eu-west-1", "team/taxiway", tag, digest)


def state(name: str, purpose: Purpose, kms_key: str | None = None) -> SecretState:
    arn = f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}-abcdef"
    return SecretState(
        secret_id=name,
        uses=(SecretUse(secret_id=name, purpose=purpose, origin="here"),),
        stored=StoredSecret(name=name, arn=arn, kms_key=kms_key),
    )


def test_the_task_role_reads_and_decrypts_what_the_job_names_and_nothing_of_the_registry() -> None:
    states = [state("login", Purpose.REFERENCE, KEY), state("ghcr", Purpose.REGISTRY)]
    rights = [(one.action, one.resource) for one in task_rights(CONTAINER, states)]
    assert rights == [
        ("secretsmanager:GetSecretValue", states[0].stored.arn if states[0].stored else ""),
        ("kms:Decrypt", KEY),
    ]


def test_what_a_condition_about_the_use_of_a_key_asks_for_is_told() -> None:
    """The roles of ``taxiway infra`` may decrypt through Secrets Manager only."""
    [_, right] = task_rights(CONTAINER, [state("login", Purpose.REFERENCE, KEY)])
    assert right.context == {
        "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
        "kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:login-abcdef",
    }


def test_a_login_with_iam_is_a_right_of_the_task_on_that_user_of_that_database() -> None:
    [right] = login_rights(CONTAINER, replace(SERVER, resource_id="cluster-ABC"), "migrator", CALLER)
    assert (right.role, right.action) == (TASK, "rds-db:connect")
    assert right.resource == "arn:aws:rds-db:eu-west-1:111122223333:dbuser:cluster-ABC/migrator"


def test_the_execution_role_writes_the_log_pulls_the_image_and_hands_over_secrets() -> None:
    registry = state("ghcr", Purpose.REGISTRY)
    arn = registry.stored.arn if registry.stored else ""
    facts = replace(CONTAINER, image=ECR, registry_secret=arn, secrets={"PASSWORD": f"{arn}:password::"})
    rights = {(one.action, one.resource) for one in execution_rights(facts, [registry], CALLER)}
    stream = "arn:aws:logs:eu-west-1:111122223333:log-group:/taxiway:log-stream:run/taxiway/task"
    repository = "arn:aws:ecr:eu-west-1:111122223333:repository/team/taxiway"
    assert rights == {
        ("logs:CreateLogStream", stream),
        ("logs:PutLogEvents", stream),
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:BatchCheckLayerAvailability", repository),
        ("ecr:GetDownloadUrlForLayer", repository),
        ("ecr:BatchGetImage", repository),
        ("secretsmanager:GetSecretValue", arn),
    }
