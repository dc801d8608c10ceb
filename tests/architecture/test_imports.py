"""The layers hold, in the code (import contracts) and in the effect (what a fresh interpreter has loaded)."""

import subprocess
import sys

import pytest

HEAVY = ("psycopg", "boto3", "botocore", "click", "rich", "jinja2", "tzlocal", "asyncio", "subprocess")


def test_the_import_contracts_hold() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def loaded_by(code: str) -> set[str]:
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return {name.partition(".")[0] for name in output.split()} | set(output.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import taxiway")
    assert loaded.isdisjoint(HEAVY)
    assert {name for name in loaded if name.startswith("taxiway.")} == {"taxiway.version"}


@pytest.mark.parametrize("name", ["TaxiwayError", "MigrationState", "MigrateResult", "Secret", "MigrationVersion"])
def test_using_a_value_of_the_package_loads_nothing_heavy(name: str) -> None:
    assert loaded_by(f"from taxiway import {name}").isdisjoint(HEAVY)


def test_the_front_door_loads_no_aws_and_no_command_line() -> None:
    assert loaded_by("from taxiway import migrate").isdisjoint({"boto3", "botocore", "click", "rich"})


def test_help_loads_no_command() -> None:
    loaded = loaded_by("from taxiway.cli.main import run; run(['--help'])")
    assert loaded.isdisjoint({"psycopg", "boto3", "botocore"})
    assert not {name for name in loaded if name.startswith("taxiway.cli.commands.")}


def test_importing_the_package_costs_little_processor_time() -> None:
    # Counted by the kernel for the whole process, so that a busy machine does not matter much; the
    # difference to a bare interpreter is what importing costs. The budget is 50 ms.
    program = "import time, {module}\nprint(time.process_time())"

    def cost(module: str) -> float:
        runs = [
            float(
                subprocess.run(
                    [sys.executable, "-c", program.format(module=module)], capture_output=True, check=True
                ).stdout
            )
            for _ in range(5)
        ]
        return min(runs)

    assert cost("taxiway") - cost("sys") < 0.05
