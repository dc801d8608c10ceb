"""Where a stop is told."""

import json

import pytest

from taxiway.cli.invocation import Invocation
from taxiway.cli.main import _report_stop
from taxiway.cli.output import print_json, redacted_streams
from taxiway.runner.signals import Terminated


def test_a_stop_is_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    invocation = Invocation(json=True)
    with redacted_streams(invocation.redactor):
        assert _report_stop(Terminated(), invocation) == 143
    assert json.loads(capsys.readouterr().out)["error"]["taxiwayCode"] == "terminated"


def test_a_stop_behind_the_result_leaves_it_readable(capsys: pytest.CaptureFixture[str]) -> None:
    invocation = Invocation(json=True)
    with redacted_streams(invocation.redactor):
        print_json({"success": True})
        assert _report_stop(Terminated(), invocation) == 143
    output, error = capsys.readouterr()
    assert json.loads(output) == {"success": True}
    assert error.startswith("Terminated before")
