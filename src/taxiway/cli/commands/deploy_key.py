"""``taxiway deploy-key``: the SSH key with which the job clones."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import click

from taxiway import errors
from taxiway.cli.confirm import confirm
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_aside, print_json, print_result
from taxiway.cli.secret_input import prompt, read_stdin, refuse_arguments
from taxiway.cli.secrets_session import (
    SecretsSession,
    agreeing_options,
    making_options,
    secret_options,
)
from taxiway.model.deploy_key import KeyAction, KeyKind, KeyPlan, KeyResult
from taxiway.ops.create_deploy_key import KeyMaker, plan_deploy_key
from taxiway.ops.put_secret import check_secret_name
from taxiway.reports.secrets_json import key_json, key_plan_json
from taxiway.reports.secrets_text import render_key, render_key_plan, render_shown_key
from taxiway.secret import Secret
from taxiway.sources.git_remote import github_url
from taxiway.sources.github_keys import API_URL, GithubKeys
from taxiway.sources.key_pair import fingerprint, make_key_pair, read_public_half

_API_VARIABLE: Final = "GITHUB_API_URL"


@click.group("deploy-key")
def deploy_key() -> None:
    """Make the SSH key with which tasks clone the repository, and show its public half.

    The private half goes into AWS Secrets Manager and nowhere else: the job reads it from the secret that
    REPOSITORY_DEPLOY_KEY_SECRET names.
    """


# --- create


@deploy_key.command()
@secret_options
@click.option("--secret", metavar="NAME", help="The secret, instead of the configured one.")
@click.option(
    "--type",
    "kind",
    type=click.Choice([kind.value for kind in KeyKind]),
    default=KeyKind.ED25519.value,
    show_default=True,
    help="Kind of the pair; 'rsa' is one of 4096 bits in PEM format.",
)
@click.option("--repository", metavar="OWNER/NAME", help="The GitHub repository, instead of the configured one.")
@click.option("--register", is_flag=True, help="Register the public half at GitHub, with a token.")
@click.option(
    "--token-secret", metavar="ID[#KEY]", help="Take the token for --register from a secret, instead of asking."
)
@click.option("--title", metavar="TEXT", default="taxiway", show_default=True, help="What it is called there.")
@making_options
@agreeing_options
@click.argument("surplus", nargs=-1, metavar="", type=click.UNPROCESSED)
@click.pass_obj
def create(
    invocation: Invocation,
    /,
    *,
    surplus: tuple[str, ...],
    secret: str | None,
    kind: str,
    repository: str | None,
    register: bool,
    token_secret: str | None,
    title: str,
    replace: bool,
    dry_run: bool,
    yes: bool,
    **options: object,
) -> None:
    """Make a key pair, store the private half, and print the public half and where to register it.

    A key that is there already stays, so a second call only prints its public half; --replace makes another one.
    With --register the public half is registered before the private half is stored. The token is asked for, or
    read from standard input.
    """
    for one in surplus:
        invocation.redactor.add(Secret(one))
    refuse_arguments(surplus, "a key or a token")
    session = SecretsSession(invocation, options)
    name = _secret_name(session, secret)
    repository = _repository(session, repository, is_needed=register)
    there = session.store.find(name)
    plan = plan_deploy_key(
        name, there, may_replace=replace, read_public_half=lambda: read_public_half(session.store.read(name))
    )
    words = render_key_plan(
        plan, kind=kind, region=session.store.region, repository=repository, registers=register
    )
    if dry_run:
        _tell_plan(invocation, plan, words)
        return
    print_aside(words)
    host = _host(session, repository or "", token_secret) if register else None
    if plan.consequences:
        confirm(f"Replace the deploy key in secret '{name}'?", is_confirmed=yes)
    with _changing(session, plan, host):
        result = _maker(session, plan, KeyKind(kind), title, host).carry_out(plan, repository)
    is_done = plan.action is not KeyAction.KEEP
    _tell("deploy-key create", invocation, result, render_key(result), is_done=is_done)


def _changing(session: SecretsSession, plan: KeyPlan, host: GithubKeys | None) -> AbstractContextManager[None]:
    if plan.action is KeyAction.KEEP and host is None:
        return nullcontext()
    done = "registered" if plan.action is KeyAction.KEEP else "registered and stored" if host else "stored"
    return session.changing(f"the key of secret '{plan.secret_id}'", done, told_by="deploy-key show")


def _maker(session: SecretsSession, plan: KeyPlan, kind: KeyKind, title: str, host: GithubKeys | None) -> KeyMaker:
    kms_key, tags = session.placement(is_new=plan.action is KeyAction.CREATE)
    return KeyMaker(
        store=session.store,
        host=host,
        make=lambda: make_key_pair(kind, title),
        fingerprint=fingerprint,
        title=title,
        kms_key=kms_key,
        tags=tags,
    )


# --- show


@deploy_key.command()
@secret_options
@click.option("--secret", metavar="NAME", help="The secret, instead of the configured one.")
@click.pass_obj
def show(invocation: Invocation, /, *, secret: str | None, **options: object) -> None:
    """Print the public half of the key that the secret has, its fingerprint, and where it is registered."""
    session = SecretsSession(invocation, options)
    name = _secret_name(session, secret)
    public = read_public_half(session.store.read(name))
    result = KeyResult(
        secret_id=name,
        action=KeyAction.KEEP,
        public=public,
        fingerprint=fingerprint(public),
        repository=session.settings.repository,
    )
    _tell("deploy-key show", invocation, result, render_shown_key(result), is_done=False)


def _secret_name(session: SecretsSession, given: str | None) -> str:
    name = given or session.settings.deploy_key_secret
    if not name:
        raise errors.MissingOption(
            "No secret is named for the deploy key.",
            hint='Give --secret NAME, or write deploy_key_secret = "NAME" below [secrets] in taxiway.toml.',
        )
    return check_secret_name(name)


def _repository(session: SecretsSession, given: str | None, *, is_needed: bool) -> str | None:
    repository = given or session.settings.repository
    if repository is None:
        if is_needed:
            raise errors.MissingOption(
                "No repository is named to register the key at.",
                hint="Give --repository OWNER/NAME, or repository_owner and repository_path below [secrets].",
            )
        return None
    owner, _, path = repository.partition("/")
    github_url(owner, path)  # refuses what GitHub would not have
    return f"{owner}/{path.removesuffix('.git')}"


def _host(session: SecretsSession, repository: str, token_secret: str | None) -> GithubKeys:
    token = _token(session, token_secret)
    session.invocation.redactor.add(token)
    api_url = os.environ.get(_API_VARIABLE, "").strip() or API_URL
    return GithubKeys(repository, token, api_url=api_url)


def _token(session: SecretsSession, token_secret: str | None) -> Secret:
    if token_secret:
        return _stored_token(session, token_secret)
    what = "the GitHub token"
    token = prompt("GitHub token") if sys.stdin and sys.stdin.isatty() else read_stdin(what)
    if not token.reveal().strip() or len(token.reveal().split()) != 1:
        raise errors.SecretRejected(f"That is not {what}.", hint="Give the token only, on one line.")
    return Secret(token.reveal().strip())


def _stored_token(session: SecretsSession, token_secret: str) -> Secret:
    from taxiway.aws.secrets import SecretsManager

    secret_id, _, key = token_secret.partition("#")
    manager = SecretsManager(session.settings.region, on_secret=session.invocation.redactor.add)
    return manager.value(secret_id, key) if key else manager.text(secret_id)


def _tell_plan(invocation: Invocation, plan: KeyPlan, words: str) -> None:
    if invocation.json:
        print_json(key_plan_json(plan))
    else:
        print_result(f"{words}\nNothing was changed.")


def _tell(operation: str, invocation: Invocation, result: KeyResult, words: str, *, is_done: bool) -> None:
    if invocation.json:
        print_json(key_json(operation, result, is_done=is_done))
    else:
        print_result(words)
