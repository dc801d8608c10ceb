"""What a reviewer would look for in the Dockerfile. hadolint looks for more in "make lint"."""

import re

import pytest

from image.build import base_of_dockerfile
from tests.support.markdown import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
# Instructions in one line each, without comments
LINES = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE)).splitlines()


def instructions(word: str) -> list[str]:
    return [line for line in LINES if line.startswith(f"{word} ")]


def test_the_base_image_is_pinned_by_tag_and_digest() -> None:
    assert re.fullmatch(
        r"docker\.io/library/python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base_of_dockerfile()
    )


def test_every_stage_begins_with_the_base_image_or_with_nothing() -> None:
    origins = [line.split()[1] for line in instructions("FROM")]
    assert set(origins) == {"${PYTHON_IMAGE}", "scratch"}
    assert origins[-1] == "scratch"


def test_nothing_is_fetched_but_locked_wheels_and_debian_packages() -> None:
    runs = "\n".join(instructions("RUN"))
    assert not re.search(r"\b(curl|wget|git clone|npm|ADD)\b|https?://", runs)
    installs = re.findall(r"pip --python \S+ install .*?(?=&&|$)", runs, re.MULTILINE)
    assert len(installs) == 3
    for install in installs:
        assert "--no-deps" in install
        if "--no-index" not in install:
            assert "--require-hashes" in install
            assert "--only-binary :all:" in install
    assert instructions("ADD") == []


@pytest.mark.parametrize("word", ["USER", "ENTRYPOINT", "STOPSIGNAL", "VOLUME"])
def test_the_last_stage_says_who_runs_what(word: str) -> None:
    last = LINES[LINES.index("FROM scratch") :]
    assert len([line for line in last if line.startswith(f"{word} ")]) == 1


def test_the_task_is_not_root_and_starts_no_shell() -> None:
    assert instructions("USER") == ["USER 10001:10001"]
    assert instructions("ENTRYPOINT") == ['ENTRYPOINT ["tini", "--", "taxiway", "run"]']
    assert instructions("CMD") == []


def test_no_secret_is_an_argument_or_a_variable() -> None:
    names = re.findall(r"(?m)^(?:ARG|ENV) (\w+)|^\s+(\w+)=", DOCKERFILE)
    found = {name for pair in names for name in pair if name}
    assert "PIP_INDEX_URL" in found
    assert not [name for name in found if re.search("(?i)secret|password|token|key", name)]
    # What could have a password in it stays in a stage that is thrown away.
    last = DOCKERFILE[DOCKERFILE.index("FROM scratch") :]
    assert "PIP_" not in last
