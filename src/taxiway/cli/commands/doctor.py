"""``taxiway doctor``: the whole way of a task, looked at before anybody runs one."""

from collections.abc import Mapping
from pathlib import Path

import click

from taxiway import errors, exit_codes
from taxiway.cli.doctor_session import ProjectHere, connect
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_json, print_result
from taxiway.cli.task_options import read_settings, target_options
from taxiway.ops.diagnose import ProjectLooks, diagnose
from taxiway.reports.doctor_json import diagnosis_json
from taxiway.reports.doctor_text import render_diagnosis


@click.command()
@click.argument("branch", required=False)
@click.option("--strict", is_flag=True, help="End with 4 also when something could not be checked.")
@target_options
@click.pass_obj
def doctor(invocation: Invocation, /, *, branch: str | None, strict: bool, **options: object) -> int | None:
    """Check everything that a task needs, and say how to mend what is wrong. Changes nothing.

    Credentials, cluster, task definition, image, log group, roles, secrets, network, database, and the repository
    with BRANCH (or the branch of the task definition). Ends with exit code 4 when a run would fail. What cannot be
    seen from here, such as a private database from a laptop, is told as not checked.
    """
    settings = read_settings(options)
    file, environment = options["config_file"], options["environment"]

    def open_project(variables: Mapping[str, str]) -> ProjectLooks:
        return ProjectHere(
            invocation=invocation,
            settings=settings,
            variables=variables,
            file=file if isinstance(file, Path) else None,
            environment=environment if isinstance(environment, str) else None,
            branch=branch,
        )

    diagnosis = diagnose(settings, lambda: connect(settings, invocation), open_project)
    is_ready = diagnosis.is_ready and not (strict and diagnosis.gaps)
    if invocation.json:
        print_json(diagnosis_json(diagnosis))
        return exit_codes.SUCCESS if is_ready else exit_codes.NOT_READY
    print_result(render_diagnosis(diagnosis))
    if not is_ready:
        raise errors.EnvironmentNotReady(len(diagnosis.findings), len(diagnosis.gaps))
    return None
