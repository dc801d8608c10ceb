"""The command on a machine that cannot compare anything."""

import pytest

from conformance.__main__ import main


def test_without_java_nothing_is_compared_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")

    assert main([]) == 0

    assert capsys.readouterr().err == (
        "SKIPPED: java, javac, mvn not found, so NOTHING WAS COMPARED WITH FLYWAY.\n"
    )
