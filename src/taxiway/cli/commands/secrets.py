"""``taxiway secrets``: the secrets that the job and the database users need."""

from datetime import datetime
from typing import Final

import click

from taxiway import errors
from taxiway.cli.confirm import confirm
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_aside, print_json, print_result
from taxiway.cli.secret_input import read_value, refuse_arguments
from taxiway.cli.secrets_session import (
    SecretsSession,
    agreeing_options,
    making_options,
    secret_options,
)
from taxiway.model.stored_secret import PutAction, PutPlan, PutWish, Rotation, Shape
from taxiway.ops.make_password import make_password, make_version
from taxiway.ops.put_secret import carry_out, check_secret_name, check_value, choose_shape, make_text, plan_put
from taxiway.ops.rotate_secret import begin_rotation, cancel_rotation, plan_rotation
from taxiway.ops.survey_secrets import survey_secrets
from taxiway.reports.secrets_json import put_json, rotation_json, states_json
from taxiway.reports.secrets_text import render_problems, render_put, render_put_plan, render_states
from taxiway.secret import Secret


@click.group()
def secrets() -> None:
    """Put, list, check and rotate the secrets that the project refers to.

    They lie in AWS Secrets Manager. Which ones they are is told by the references and roles of taxiway.toml, by
    [secrets], and by the variables of the job. No value is ever printed, and none is taken from an argument.
    """


# --- put


@secrets.command()
@secret_options
@click.option("--username", "user", metavar="NAME", help='Store {"username": NAME, "password": the value}.')
@click.option("--text", "is_text", is_flag=True, help="Store the value as it is.")
@click.option("--generate", is_flag=True, help="Make a password of 32 letters and digits, which nobody sees.")
@making_options
@agreeing_options
@click.argument("name", metavar="NAME")
@click.argument("surplus", nargs=-1, metavar="", type=click.UNPROCESSED)
@click.pass_obj
def put(
    invocation: Invocation,
    /,
    *,
    name: str,
    surplus: tuple[str, ...],
    user: str | None,
    is_text: bool,
    generate: bool,
    replace: bool,
    dry_run: bool,
    yes: bool,
    **options: object,
) -> None:
    """Put a value into a secret: from a prompt, from standard input, or a generated one.

    The secret is made if there is none. One that has a value is left alone without --replace. How the value lies
    in it is known for secrets that taxiway.toml refers to as those of a role; others need --username or --text.
    """
    _hide(invocation, surplus)
    refuse_arguments(surplus, "the value")
    check_secret_name(name)
    if user is not None and is_text:
        raise click.UsageError("--username and --text are both given: which of them is it?")
    session = SecretsSession(invocation, options)
    shape, user = choose_shape(name, user=user, is_text=is_text, uses=session.uses)
    there = session.store.find(name)
    kms_key, tags = session.placement(is_new=there is None)
    wish = PutWish(
        name=name,
        shape=shape,
        user=user,
        kms_key=kms_key,
        tags=tags,
        is_generated=generate,
        may_replace=replace,
    )
    plan = plan_put(wish, there, session.uses)
    _show(invocation, render_put_plan(plan, session.store.region), dry_run=dry_run)
    if dry_run:
        if invocation.json:
            print_json(put_json(plan, is_done=False))
        return
    has_value = there is not None and there.current_version is not None
    _put(session, plan, has_value=has_value, is_confirmed=yes)


def _hide(invocation: Invocation, surplus: tuple[str, ...]) -> None:
    for one in surplus:
        invocation.redactor.add(Secret(one))


def _what(wish: PutWish) -> str:
    return f"the password of '{wish.user}'" if wish.shape is Shape.USER else f"the value of '{wish.name}'"


def _show(invocation: Invocation, words: str, *, dry_run: bool) -> None:
    if dry_run and not invocation.json:
        print_result(f"{words}\nNothing was changed.")
    else:
        print_aside(words)


def _put(session: SecretsSession, plan: PutPlan, *, has_value: bool, is_confirmed: bool) -> None:
    wish, store = plan.wish, session.store
    value = make_password() if wish.is_generated else read_value(_what(wish))
    session.invocation.redactor.add(value)
    check_value(value, wish.shape)
    before = store.read(wish.name) if has_value else None
    text = make_text(wish, value, before)
    version, place = None, wish.name
    if before == text:
        plan = PutPlan(wish=wish, action=PutAction.KEEP)
    else:
        if before is not None:
            confirm(f"Replace the value of secret '{wish.name}'?", is_confirmed=is_confirmed)
        version = make_version()
        with session.changing(f"the value of secret '{wish.name}'", "stored"):
            place = carry_out(plan, text, store, version=version)
    if session.invocation.json:
        print_json(put_json(plan, is_done=version is not None, version=version))
    else:
        print_result(render_put(plan, f"'{place}'"))


# --- list, check


@secrets.command("list")
@secret_options
@click.pass_obj
def list_(invocation: Invocation, /, **options: object) -> None:
    """List the secrets that the project refers to, and the state of each. Never a value."""
    session = SecretsSession(invocation, options)
    states = survey_secrets(session.uses, session.store) if session.uses else []
    if invocation.json:
        print_json(states_json("secrets list", states))
    else:
        print_result(render_states(states, datetime.now().astimezone().tzinfo))


@secrets.command()
@secret_options
@click.pass_obj
def check(invocation: Invocation, /, **options: object) -> int | None:
    """Check that every secret is there, with what is asked of it.

    Says of each that is not how to mend it, and ends with exit code 4 then.
    """
    session = SecretsSession(invocation, options)
    states = survey_secrets(session.uses, session.store) if session.uses else []
    problems = [*render_problems(states)]
    if invocation.json:
        print_json(states_json("secrets check", states))
        from taxiway import exit_codes

        return exit_codes.NOT_READY if problems else exit_codes.SUCCESS
    for problem in problems:
        print_result(problem)
    if problems:
        raise errors.SecretsNotReady(problems)
    count = len(states)
    print_result(f"{count} secret{'' if count == 1 else 's'} checked: nothing is missing.")
    return None


# --- rotate


@secrets.command()
@secret_options
@click.option("--cancel", is_flag=True, help="Give up a rotation that no run has finished yet.")
@agreeing_options
@click.argument("name", metavar="NAME")
@click.pass_obj
def rotate(
    invocation: Invocation, /, *, name: str, cancel: bool, dry_run: bool, yes: bool, **options: object
) -> None:
    """Give a declared database user another password, with the next run.

    A generated password becomes the pending version of the secret, which nobody reads. The next 'taxiway run' (or
    'taxiway roles apply') sets it on the server and makes it the current version, both or neither. Until then, all
    goes on with the present one.
    """
    check_secret_name(name)
    session = SecretsSession(invocation, options)
    rotation = plan_rotation(name, session.store.find(name), session.uses)
    if cancel:
        _cancel(session, rotation, dry_run=dry_run, is_confirmed=yes)
    else:
        _begin(session, rotation, dry_run=dry_run, is_confirmed=yes)


def _begin(session: SecretsSession, rotation: Rotation, *, dry_run: bool, is_confirmed: bool) -> None:
    invocation = session.invocation
    if rotation.pending:
        if invocation.json:
            print_json(rotation_json(rotation, action="keep", is_done=False))
        else:
            print_result(f"A rotation of secret '{rotation.secret_id}' is under way already. {_NEXT}")
        return
    _show(
        invocation,
        f"Store a generated password for role '{rotation.user}' as the pending version of secret "
        f"'{rotation.secret_id}' in {session.store.region}\n"
        "  The next run sets it on the server and makes it the current one: applications have to read the secret "
        "again for new connections.",
        dry_run=dry_run,
    )
    version = None
    if not dry_run:
        confirm(f"Rotate the password of role '{rotation.user}' with the next run?", is_confirmed=is_confirmed)
        with session.changing(f"a pending password of secret '{rotation.secret_id}'", "stored"):
            version = begin_rotation(rotation, session.store)
    if invocation.json:
        print_json(rotation_json(rotation, action="begin", is_done=not dry_run, version=version))
    elif version:
        print_result(f"Secret '{rotation.secret_id}' has a pending password. {_NEXT}")


_NEXT: Final = "The next run finishes it: taxiway task run"


def _cancel(session: SecretsSession, rotation: Rotation, *, dry_run: bool, is_confirmed: bool) -> None:
    invocation = session.invocation
    _show(invocation, f"Give up the rotation of secret '{rotation.secret_id}'", dry_run=dry_run)
    if not dry_run:
        confirm(f"Give up the rotation of secret '{rotation.secret_id}'?", is_confirmed=is_confirmed)
        with session.changing(f"the rotation of secret '{rotation.secret_id}'", "given up"):
            cancel_rotation(rotation, session.store)
    if invocation.json:
        print_json(rotation_json(rotation, action="cancel", is_done=not dry_run))
    elif not dry_run:
        print_result(f"Gave up the rotation of secret '{rotation.secret_id}'. The present password stays.")
