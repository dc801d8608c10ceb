"""``taxiway infra``: what tasks need in AWS, as one CloudFormation stack."""

from typing import TYPE_CHECKING

import click

from taxiway import exit_codes
from taxiway.cli.confirm import confirm
from taxiway.cli.infra_session import InfraSession, infra_options
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_aside, print_json, print_result
from taxiway.model.infra import ChangeKind, Farewell, Stack
from taxiway.ops.deploy_infra import Prepared, refuse_data_loss
from taxiway.ops.destroy_infra import Destruction, refuse_protected, refuse_unended_restore
from taxiway.ops.infra_status import read_status
from taxiway.reports.infra_json import farewell_json, plan_json, status_json
from taxiway.reports.infra_text import render_farewell, render_outputs, render_plan, render_status

if TYPE_CHECKING:
    from taxiway.aws.rds import Rds


@click.group()
def infra() -> None:
    """Plan, deploy, look at and destroy what tasks need in AWS.

    [infra] in taxiway.toml says what is wanted: cluster, log group, roles, task definition and security groups,
    and if asked for a database, a bastion, a role for GitHub workflows, and VPC endpoints. VPC and subnets, and a
    cluster or a database that exist already, are used and never owned.
    """


# --- template


@infra.command()
@infra_options
@click.option(
    "--format",
    "notation",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="What the template is written in.",
)
@click.pass_obj
def template(invocation: Invocation, /, *, notation: str, **options: object) -> None:
    """Print the template that the stack is made of. AWS is not asked for anything."""
    from taxiway.infra.write import write_json, write_yaml

    session = InfraSession(invocation, options)
    as_json = notation == "json" or invocation.json
    print_result((write_json if as_json else write_yaml)(session.template), newline=False)


# --- plan, deploy


@infra.command()
@infra_options
@click.pass_obj
def plan(invocation: Invocation, /, **options: object) -> None:
    """Show what 'deploy' would change, and change nothing.

    CloudFormation works the changes out; they are deleted again, together with a stack that was made for them.
    """
    _show_plan("infra plan", InfraSession(invocation, options))


def _show_plan(operation: str, session: InfraSession) -> int:
    deployment = session.deployment
    with session.planning():
        prepared = deployment.prepare()
    deployment.discard(prepared)
    if session.invocation.json:
        print_json(plan_json(operation, prepared.plan))
    else:
        print_result(render_plan(prepared.plan))
    return exit_codes.SUCCESS


@infra.command()
@infra_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="The same as 'plan'.")
@click.option(
    "--allow-database-loss",
    is_flag=True,
    help="Also deploy what replaces or removes the database. A final snapshot of it is kept.",
)
@click.pass_obj
def deploy(
    invocation: Invocation, /, *, yes: bool, dry_run: bool, allow_database_loss: bool, **options: object
) -> int:
    """Make the stack what [infra] says: show the changes, ask, make them, and wait for their end.

    A call that was interrupted is repeated: it waits for what CloudFormation is doing, and goes on from there.
    When something fails, CloudFormation takes back what it has done.
    """
    session = InfraSession(invocation, options)
    if dry_run:
        return _show_plan("infra deploy", session)
    deployment = session.deployment
    with session.planning():
        prepared = deployment.prepare()
    if not invocation.json:
        print_result(render_plan(prepared.plan))
    if not prepared.has_work:
        _tell_deployed(session, prepared, session.stacks.find_stack(session.stack))
        return exit_codes.SUCCESS
    try:
        if not allow_database_loss:
            refuse_data_loss(prepared.plan)
        if invocation.json:
            print_aside(render_plan(prepared.plan))
        confirm(f"{_verb(prepared)} stack {session.stack} in {prepared.plan.region}?", is_confirmed=yes)
    except BaseException:
        deployment.discard(prepared)
        raise
    with session.going_on("made" if prepared.plan.is_new else "changed"):
        stack = deployment.carry_out(prepared)
    _tell_deployed(session, prepared, stack)
    return exit_codes.SUCCESS


def _verb(prepared: Prepared) -> str:
    replaced = any(change.kind is ChangeKind.REPLACE for change in prepared.plan.changes)
    return "Create" if prepared.plan.is_new else "Change, and REPLACE things in," if replaced else "Change"


def _tell_deployed(session: InfraSession, prepared: Prepared, stack: Stack | None) -> None:
    if session.invocation.json:
        print_json(plan_json("infra deploy", prepared.plan, stack=stack))
    elif stack is not None and prepared.has_work:
        print_result(render_outputs(stack.outputs))
        print_aside(f"Stack {stack.name} is {stack.status}. 'taxiway task run --stack {stack.name}' uses it.")


# --- status


@infra.command()
@infra_options
@click.option(
    "--drift",
    is_flag=True,
    help="Also look what somebody has changed past CloudFormation; takes a minute. Found: exit code 3.",
)
@click.pass_obj
def status(invocation: Invocation, /, *, drift: bool, **options: object) -> int:
    """Show the stack, its resources and outputs, and how it differs from what is configured.

    A stack that is not complete, because its creation has failed or goes on, is told with what to do. Exit code 4.
    """
    session = InfraSession(invocation, options)
    wanted = session.template if session.configured else None
    found = read_status(session.stack, session.follower, template=wanted, with_drift=drift)
    if invocation.json:
        print_json(status_json(found))
    else:
        print_result(render_status(found))
    if found.trouble:
        return exit_codes.NOT_READY
    return exit_codes.NOT_KNOWN if found.drift else exit_codes.SUCCESS


# --- destroy


@infra.command()
@infra_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would go and what would stay, and delete nothing.")
@click.option(
    "--disable-deletion-protection",
    is_flag=True,
    help="Also delete a database that is protected against it. A final snapshot of it is kept.",
)
@click.pass_obj
def destroy(
    invocation: Invocation, /, *, yes: bool, dry_run: bool, disable_deletion_protection: bool, **options: object
) -> int:
    """Delete the stack: show what goes and what stays, ask, delete, and wait for its end.

    A database leaves a final snapshot, and the log group stays. What is adopted is not touched. A call that was
    interrupted, or has failed, is repeated: it goes on from there.
    """
    session = InfraSession(invocation, options)
    destruction = Destruction(session.stack, session.follower)
    goodbye = destruction.prepare()
    if goodbye is None:
        _tell_gone(session, None)
        return exit_codes.SUCCESS
    (print_aside if invocation.json else print_result)(render_farewell(goodbye))
    if dry_run:
        if invocation.json:
            print_json(farewell_json(session.stack, goodbye, is_done=False))
        return exit_codes.SUCCESS
    refuse_protected(goodbye, lifts_protection=disable_deletion_protection)
    if goodbye.snapshotted:
        refuse_unended_restore(goodbye, _rds(session).list_databases())
    confirm(f"Delete stack {session.stack} in {session.stacks.region}?", is_confirmed=yes)
    with session.going_on("deleted"):
        destruction.carry_out(goodbye, lifts_protection=disable_deletion_protection)
    _tell_gone(session, goodbye)
    return exit_codes.SUCCESS


def _tell_gone(session: InfraSession, goodbye: Farewell | None) -> None:
    snapshots = _snapshots(session, goodbye) if goodbye else []
    if session.invocation.json:
        print_json(farewell_json(session.stack, goodbye, is_done=True, snapshots=snapshots))
        return
    if goodbye is None:
        print_result(f"There is no stack {session.stack} in {session.stacks.region}.")
        return
    print_result(f"Stack {session.stack} is gone.")
    for name in snapshots:
        print_result(f"Final snapshot: {name}")
    for one in goodbye.kept:
        print_result(f"Kept: {one.physical_id}")


def _rds(session: InfraSession) -> "Rds":
    from taxiway.aws.rds import Rds

    return Rds(session.place())


def _snapshots(session: InfraSession, goodbye: Farewell) -> list[str]:
    """Final snapshots, by the names that CloudFormation has given them; no two are the same. The newest first."""
    from taxiway.model.snapshot import DatabaseKind

    rds = _rds(session)
    clusters = [one.physical_id for one in goodbye.snapshotted if one.physical_id]
    found = [one for cluster in clusters for one in rds.list_snapshots(DatabaseKind.CLUSTER, cluster)]
    made_by_hand = (one for one in found if one.type == "manual")
    return [one.name for one in sorted(made_by_hand, key=lambda one: str(one.created_at or ""), reverse=True)]
