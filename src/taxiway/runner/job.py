"""The job in the container as a value: what its environment asks for.

The names without our prefix are those of existing task definitions; they work unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.aws.session import find_region
from taxiway.sources.git_commit import parse_commit_id


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable of the job, for the code and for the reference page."""

    name: str
    help: str


REGION: Final = Variable("REGION", "AWS region of the secrets. Without it: AWS_REGION, AWS_DEFAULT_REGION.")
REPOSITORY_DEPLOY_KEY_SECRET: Final = Variable(
    "REPOSITORY_DEPLOY_KEY_SECRET",
    "Name or ARN of the secret with the private deploy key as plain text (OpenSSH or PEM). "
    "Needed for SSH repositories; without it, git uses the caller's own SSH keys.",
)
REPOSITORY_OWNER: Final = Variable(
    "REPOSITORY_OWNER", "Owner of the GitHub repository; with REPOSITORY_PATH: git@github.com:OWNER/PATH.git."
)
REPOSITORY_PATH: Final = Variable("REPOSITORY_PATH", "Name of the GitHub repository.")
REPOSITORY_URL: Final = Variable(
    "TAXIWAY_REPOSITORY_URL", "Any other Git URL or path, instead of REPOSITORY_OWNER and REPOSITORY_PATH."
)
SSH_KNOWN_HOSTS: Final = Variable(
    "TAXIWAY_SSH_KNOWN_HOSTS",
    "Lines in the format of known_hosts: the host keys that are accepted. Without it: GitHub's published keys.",
)
BRANCH: Final = Variable(
    "TAXIWAY_BRANCH", "Branch to run when the command line names none. Without both: the default branch."
)

COMMIT: Final = Variable(
    "TAXIWAY_COMMIT", "Full id of the commit to run, when the command line names neither a branch nor a commit."
)
ACTOR: Final = Variable(
    "TAXIWAY_ACTOR", "Who asked for this run: a person, a workflow. Recorded in the ledger, and decides nothing."
)

VARIABLES: Final = (
    REGION,
    REPOSITORY_DEPLOY_KEY_SECRET,
    REPOSITORY_OWNER,
    REPOSITORY_PATH,
    REPOSITORY_URL,
    SSH_KNOWN_HOSTS,
    BRANCH,
    COMMIT,
    ACTOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What to run and from where. Exactly one of ``github`` (owner, path) and ``repository_url`` is given.

    At most one of ``branch`` and ``commit`` (a whole id) is.
    """

    region: str | None
    deploy_key_secret: str | None
    github: tuple[str, str] | None
    repository_url: str | None
    known_hosts: str | None
    branch: str | None
    commit: str | None = None
    actor: str | None = None


def read_job(environment: Mapping[str, str], *, branch: str | None, commit: str | None = None) -> JobSpec:
    """Read the job from the environment. Empty variables count as absent.

    A branch or a commit of the command line wins over the variables of both.

    Raises:
        MissingOption: No repository is named.
        InvalidOption: Two repositories are named, or a branch and a commit, or a commit by half.
    """

    def value(variable: Variable) -> str | None:
        return environment.get(variable.name, "").strip() or None

    owner, path, url = value(REPOSITORY_OWNER), value(REPOSITORY_PATH), value(REPOSITORY_URL)
    if url and (owner or path):
        raise errors.InvalidOption(
            f"Both {REPOSITORY_URL.name} and {REPOSITORY_OWNER.name}/{REPOSITORY_PATH.name} are set.",
            hint="Set one of them: which repository holds the migrations?",
        )
    if not url and not (owner and path):
        missing = [v.name for v, given in ((REPOSITORY_OWNER, owner), (REPOSITORY_PATH, path)) if not given]
        raise errors.MissingOption(
            f"No repository is named: {' and '.join(missing)} not set, nor {REPOSITORY_URL.name}.",
            hint=f"Set {REPOSITORY_OWNER.name} and {REPOSITORY_PATH.name} for GitHub, or {REPOSITORY_URL.name}.",
        )
    if not (branch or commit):
        branch, commit = value(BRANCH), value(COMMIT)
    if branch and commit:
        raise errors.InvalidOption(
            f"Both the branch {branch} and the commit {commit} are to be run.",
            hint="Name one of them: the argument or --commit, TAXIWAY_BRANCH or TAXIWAY_COMMIT.",
        )
    return JobSpec(
        region=find_region(environment),
        deploy_key_secret=value(REPOSITORY_DEPLOY_KEY_SECRET),
        github=(owner, path) if owner and path else None,
        repository_url=url,
        known_hosts=value(SSH_KNOWN_HOSTS),
        branch=branch,
        commit=parse_commit_id(commit) if commit else None,
        actor=value(ACTOR),
    )
