"""Let linters look at the template of ``taxiway infra`` and at the Terraform modules: ``make infra-lint``.

cfn-lint knows the schema of every resource, checkov and AWS's Control Tower rules for cfn-guard what is thought to
be safe. They get an environment of their own, ``build/infra-lint``: they pin much of what others use, and take
700 MB.

Every finding fails, but for those in ``EXCEPTIONS``. An exception that finds nothing fails as well.
"""

import json
import platform
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / "build" / "infra-lint"
REGION: Final = "eu-west-1"

# docs/how-to/build-the-infrastructure.md tells the same, for whoever runs such linters themselves.
EXCEPTIONS: Final[Mapping[str, str]] = {
    "CKV_AWS_65": "Container Insights measures for money what runs for seconds; the log has the result.",
    "ecs_container_insights_enabled_check": "As CKV_AWS_65.",
    "CKV_AWS_158": "Logs are encrypted with a key of AWS's; log_kms_key names one of your own.",
    "cloudwatch_log_group_encrypted_check": "As CKV_AWS_158.",
    "CKV_AWS_126": "As ec2_instance_detailed_monitoring_enabled_check.",
    "CKV_AWS_133": "It is 14 days; checkov does not know defaults in the type of an object.",
    "CKV_AWS_139": "It is on; as CKV_AWS_133.",
    "CKV_AWS_353": "Performance Insights measure servers that never pause.",
    "CKV2_AWS_5": "Tasks are given the group when they start.",
    "CKV2_AWS_8": "Aurora keeps its backups itself; a plan of AWS Backup is the account's.",
    "CKV2_AWS_27": "A log of all statements would have passwords and data in it.",
    "CKV_AWS_118": "Enhanced monitoring wants a role more; it can be switched on past the stack.",
    "rds_instance_enhanced_monitoring_enabled_check": "As CKV_AWS_118.",
    "ec2_instance_detailed_monitoring_enabled_check": "A bastion is a door, and no server.",
    "ec2_instance_nitro_encryption_in_transit_check": "Small instances cannot; the session and TLS encrypt.",
}


def main() -> int:
    """Run all three over all variants; the exit code."""
    sys.path.insert(0, str(ROOT))
    tools = _make_environment()
    templates = _write_templates()
    found = {
        *_cfn_lint(tools, templates),
        *_checkov(tools, templates),
        *_guard(tools, templates),
        *_terraform(tools),
    }
    wrong = sorted(finding for finding in found if finding.split()[0] not in EXCEPTIONS)
    unused = sorted(EXCEPTIONS.keys() - {finding.split()[0] for finding in found})
    for finding in wrong:
        print(finding, file=sys.stderr)
    for name in unused:
        print(f"{name} finds nothing any more: remove the exception", file=sys.stderr)
    print(f"{len(templates)} templates, {len(found) - len(wrong)} excepted findings, {len(wrong)} others")
    return 1 if wrong or unused else 0


def _make_environment() -> Path:
    """The folder with the programs; made anew when the lock has changed."""
    lock = ROOT / "requirements" / "infra-lint.txt"
    stamp, programs = BUILD / "lock.txt", BUILD / "venv" / "bin"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        print("infra-lint: making an environment for the linters: a minute, a download of some 200 MB ...")
        subprocess.run([sys.executable, "-m", "venv", "--clear", BUILD / "venv"], check=True)
        pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(lock)], check=True)
        stamp.write_text(lock.read_text())
    return programs


def _write_templates() -> list[Path]:
    from dataclasses import replace

    from taxiway.infra.template import build_template
    from taxiway.infra.write import write_json, write_yaml
    from taxiway.model.infra import DatabaseWish
    from tests.support.infra import adopting, owning

    variants = {
        "adopting": adopting(),
        "owning": owning(),
        "with-nat": replace(owning(), endpoints=None),
        "adopted-cluster": adopting(
            cluster="apps", repository_owner=None, repository_path=None, repository_url="u"
        ),
        "always-on": owning(database=DatabaseWish(min_capacity=0.5)),
    }
    written: list[Path] = []
    for name, settings in variants.items():
        for ending, write in (("json", write_json), ("yaml", write_yaml)):
            path = BUILD / f"{name}.{ending}"
            path.write_text(write(build_template(settings)), encoding="utf-8")
            written.append(path)
    return written


def _cfn_lint(tools: Path, templates: Sequence[Path]) -> Iterator[str]:
    answer = _run([tools / "cfn-lint", "--regions", REGION, "--format", "json", "--", *templates])
    for one in json.loads(answer or "[]"):
        yield f"{one['Rule']['Id']} {one['Filename']}:{one['Location']['Start']['LineNumber']}: {one['Message']}"


def _checkov(tools: Path, templates: Sequence[Path]) -> Iterator[str]:
    files = [one for template in templates for one in ("--file", str(template))]
    options = ["--framework", "cloudformation", "--quiet", "--skip-download", "--output", "json"]
    # Not its starter, which finds its interpreter through the environment.
    yield from _checkov_findings(_run([tools / "python", tools / "checkov", *files, *options]))


def _terraform(tools: Path) -> Iterator[str]:
    """Checkov on the modules, as the examples call them."""
    options = ["--framework", "terraform", "--quiet", "--skip-download", "--output", "json"]
    folder = ["--directory", str(ROOT / "infra" / "terraform")]
    yield from _checkov_findings(_run([tools / "python", tools / "checkov", *folder, *options]))


def _checkov_findings(answer: str) -> Iterator[str]:
    report = json.loads(answer)
    if report["summary"]["parsing_errors"] or not report["summary"]["passed"]:
        yield f"checkov could not read everything: {report['summary']}"
    for one in report["results"]["failed_checks"]:
        yield f"{one['check_id']} {one['file_path']}: {one['resource']}: {one['check_name']}"


def _guard(tools: Path, templates: Sequence[Path]) -> Iterator[str]:
    """The program and AWS's rules come in a package for the CDK."""
    program, rules = _unpack_guard(tools)
    # It prints a second document for each template in YAML; the JSON ones say the same.
    files = [one for path in templates if path.suffix == ".json" for one in ("--data", str(path))]
    options = ["--rules", str(rules), "--output-format", "json", "--structured", "--show-summary", "none"]
    reports: list[dict[str, Any]] = json.loads(_run([program, "validate", *files, *options]))
    for report in reports:
        if not report["compliant"]:
            yield f"cfn-guard has applied no rule to {report['name']}"
        for one in report["not_compliant"]:
            yield f"{one['Rule']['name']} {report['name']}"


def _unpack_guard(tools: Path) -> tuple[Path, Path]:
    folder = BUILD / "guard"
    if not folder.exists():
        [package] = (tools.parent / "lib").glob("python*/site-packages/cdklabs/cdk_validator_cfnguard/_jsii/*.tgz")
        with tarfile.open(package) as archive:
            archive.extractall(folder, filter="data")
    system = "macos" if sys.platform == "darwin" else "ubuntu"
    machine = "aarch64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    inside = folder / "package"
    return inside / "bin" / system / machine / "cfn-guard", inside / "rules" / "control-tower" / "cfn-guard"


def _run(command: Sequence[str | Path]) -> str:
    """Its output. Linters end with something else than 0 when they find something."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if not ended.stdout.strip() and ended.returncode:
        raise SystemExit(f"{command[0]} has failed:\n{ended.stderr}")
    return ended.stdout


if __name__ == "__main__":
    sys.exit(main())
