"""Stacks in words: what would change, what happens, how it is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from taxiway.model.infra import Change, ChangeKind, Farewell, InfraStatus, Plan, StackEvent, StackResource
from taxiway.reports.table import escape_controls, render_table

# Types in plain words; others are shown as CloudFormation calls them.
_WORDS: Final = {
    "AWS::EC2::Instance": "host",
    "AWS::EC2::SecurityGroup": "security group",
    "AWS::EC2::SecurityGroupEgress": "rule for what goes out",
    "AWS::EC2::SecurityGroupIngress": "rule for what comes in",
    "AWS::EC2::VPCEndpoint": "VPC endpoint",
    "AWS::ECS::Cluster": "ECS cluster",
    "AWS::ECS::TaskDefinition": "task definition",
    "AWS::IAM::InstanceProfile": "instance profile",
    "AWS::IAM::OIDCProvider": "OIDC provider",
    "AWS::IAM::Role": "role",
    "AWS::Logs::LogGroup": "log group",
    "AWS::RDS::DBCluster": "database cluster",
    "AWS::RDS::DBInstance": "database instance",
    "AWS::RDS::DBSubnetGroup": "subnets of the database",
}
_SIGNS: Final = {
    ChangeKind.ADD: "+",
    ChangeKind.CHANGE: "~",
    ChangeKind.MAY_REPLACE: "!",
    ChangeKind.REPLACE: "!",
    ChangeKind.REMOVE: "-",
}
# For the last line, in this order
_COUNTED: Final = {
    ChangeKind.ADD: "to add",
    ChangeKind.CHANGE: "to change",
    ChangeKind.MAY_REPLACE: "that may be replaced",
    ChangeKind.REPLACE: "to REPLACE",
    ChangeKind.REMOVE: "to remove",
}


def render_plan(plan: Plan) -> str:
    """Each change on a line, what changes in it below, and the warnings."""
    if not plan.changes:
        return f"Stack {plan.stack} in {plan.region} is up to date."
    name = f"new stack {plan.stack}" if plan.is_new else f"stack {plan.stack}"
    width = max(len(change.logical_id) for change in plan.changes)
    lines = [f"Changes of {name} in {plan.region}:"]
    for change in plan.changes:
        lines.append(_change_line(change, width))
        lines += [f"{'':18}{escape_controls(detail)}" for detail in change.details]
    return "\n".join([*lines, *(f"WARNING: {warning}" for warning in plan.warnings), _summary(plan.changes)])


def _change_line(change: Change, width: int) -> str:
    what = words_of(change.type)
    was = f" {change.physical_id}" if change.physical_id else ""
    return f"  {_SIGNS[change.kind]} {change.kind.value:<12} {change.logical_id:<{width}}  {what}{was}"


def _summary(changes: Sequence[Change]) -> str:
    counts = Counter(change.kind for change in changes)
    return ", ".join(f"{counts[kind]} {words}" for kind, words in _COUNTED.items() if counts[kind]) + "."


def render_event(event: StackEvent) -> str:
    """One line of the progress."""
    reason = f": {event.reason}" if event.reason else ""
    moment = event.moment.astimezone().strftime("%H:%M:%S")
    return escape_controls(f"{moment} {event.status} {event.logical_id} ({words_of(event.type)}){reason}")


def render_outputs(outputs: Sequence[tuple[str, str]]) -> str:
    """The outputs of a stack."""
    return render_table(("Output", "Value"), [*outputs], empty="No outputs")


def render_farewell(goodbye: Farewell) -> str:
    """What goes and what stays."""
    return "\n".join([f"Stack {goodbye.stack.name} ({goodbye.stack.status}):", *_farewell_lines(goodbye)])


def _farewell_lines(goodbye: Farewell) -> Iterator[str]:
    groups: tuple[tuple[str, tuple[StackResource, ...]], ...] = (
        ("- goes", goodbye.gone),
        ("- goes, after a final snapshot", goodbye.snapshotted),
        ("= stays", goodbye.kept),
    )
    protected = {one.logical_id for one in goodbye.protected}
    for words, resources in groups:
        for one in resources:
            mark = "  PROTECTED AGAINST DELETION" if one.logical_id in protected else ""
            yield f"  {words}: {one.logical_id}, {words_of(one.type)} {one.physical_id or ''}{mark}".rstrip()


def render_status(status: InfraStatus) -> str:
    """State, resources, outputs, and the differences."""
    stack = status.stack
    head = f"Stack {stack.name} is {stack.status}" + (f": {stack.reason}" if stack.reason else ".")
    rows = [(one.logical_id, words_of(one.type), one.physical_id or "", one.status) for one in status.resources]
    resources = render_table(("Resource", "Kind", "Id", "Status"), rows, empty="No resources")
    return "\n".join([head, *status.trouble, resources, render_outputs(stack.outputs), *_differences(status)])


def _differences(status: InfraStatus) -> Iterator[str]:
    if status.outdated is not None:
        names = ", ".join(status.outdated)
        yield (
            f"Configured differently from what is deployed: {names}. 'taxiway infra plan' tells how."
            if names
            else "What is deployed is what is configured."
        )
    if status.drift is not None and not status.drift:
        yield "Nobody has changed anything past CloudFormation."
    for one in status.drift or ():
        yield f"DRIFT: {one.logical_id} ({words_of(one.type)}) is {one.kind.value}."
        for path, expected, actual in one.differences:
            yield escape_controls(f"  {path}: expected {expected}, is {actual}")


def words_of(kind: str) -> str:
    """A type of CloudFormation in plain words."""
    return _WORDS.get(kind, "stack" if kind == "AWS::CloudFormation::Stack" else kind)
