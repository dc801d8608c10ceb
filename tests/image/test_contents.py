"""What is in the image, what is not, and what it says of itself."""

import json
import os
import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from image.build import SBOM
from sandbox.image import IMAGE, Engine
from taxiway import __version__

pytestmark = pytest.mark.image

# Whatever can be started by name. git starts ssh through a shell; python is Taxiway's.
PROGRAMS = {
    "opt/taxiway/bin": {"python", "python3", "python3.13", "taxiway"},
    "usr/bin": {"dash", "git", "git-upload-pack", "sh", "ssh", "tini"},
    "usr/lib/git-core": {"git-remote-http", "git-remote-https"},
    "usr/local/bin": {"python", "python3", "python3.13"},
    "usr/sbin": set(),
}


@pytest.fixture(scope="module")
def root(engine: Engine) -> Iterator[Path]:
    """The file system of the image, to look at."""
    directory = engine.run("image", "mount", IMAGE).strip()
    yield Path(directory)
    engine.run("image", "unmount", IMAGE)


@pytest.fixture(scope="module")
def configuration(engine: Engine) -> dict[str, Any]:
    """What the image says of itself."""
    (image,) = json.loads(engine.run("image", "inspect", IMAGE))
    inspected: dict[str, Any] = image
    return inspected


def files(root: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(root):
        for name in names:
            yield Path(directory, name)


def test_there_are_no_other_programs(root: Path) -> None:
    found = {
        name: {path.name for path in (root / name).iterdir()} if (root / name).exists() else set()
        for name in PROGRAMS
    }
    assert found == PROGRAMS


def test_there_is_no_pip_no_compiler_and_no_package_manager(root: Path) -> None:
    wanted = re.compile(r"^(pip|ensurepip|setuptools|gcc|cc|apt|apt-get|dpkg|perl|bash|busybox|curl|wget)(\..*)?$")
    assert [path for path in files(root) if wanted.match(path.name) and "share" not in path.parts] == []


def test_no_file_is_setuid_or_writable_or_the_tasks_own(root: Path) -> None:
    special = [path for path in files(root) if not path.is_symlink() and path.stat().st_mode & 0o6022]
    assert special == []
    owned = [path for path in root.rglob("*") if path.lstat().st_uid != 0]
    assert owned == [root / "tmp"]


def test_every_module_is_compiled_and_never_looked_at_again(root: Path) -> None:
    compiled = {path for path in files(root) if path.suffix == ".pyc"}
    assert len(compiled) > 500
    for path in compiled:
        # PEP 552: 1 says that the file is found by a hash, 2 that the hash is compared.
        assert int.from_bytes(path.read_bytes()[4:8], "little") == 1
    packages = root / "opt/taxiway/lib/python3.13/site-packages/taxiway"
    modules = {path for path in files(packages) if path.suffix == ".py"}
    assert {path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc" for path in modules} <= compiled


def test_it_says_what_it_is(configuration: dict[str, Any]) -> None:
    labels = {
        name.removeprefix("org.opencontainers.image."): text for name, text in configuration["Labels"].items()
    }
    assert labels["version"] == __version__
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", labels["revision"])
    assert labels["licenses"] == "Apache-2.0"
    assert labels["base.name"]
    assert labels["source"]
    assert labels["dev.taxiway.sbom"] == f"/{SBOM}"


def test_it_starts_taxiway_as_a_user_without_rights(configuration: dict[str, Any]) -> None:
    config = configuration["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["tini", "--", "taxiway", "run"]
    assert not config.get("Cmd")
    assert list(config["Volumes"]) == ["/tmp"]


def test_history_and_environment_have_nothing_of_the_build_machine(
    engine: Engine, configuration: dict[str, Any]
) -> None:
    told = engine.run("history", "--no-trunc", "--format", "json", IMAGE) + json.dumps(configuration["Config"])
    assert "PIP_" not in told
    for name in ("PIP_INDEX_URL", "PIP_CERT"):
        assert not os.environ.get(name) or os.environ[name] not in told
    assert not re.search(r"(?i)password|secret|token|AKIA[0-9A-Z]{16}|PRIVATE KEY", told)


def test_certificates_are_debians(root: Path) -> None:
    """A certificate authority of the build machine, with which it reaches its package index, stays there."""
    shipped = "".join(
        path.read_text() for path in sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    )
    bundle = (root / "etc/ssl/certs/ca-certificates.crt").read_text()
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", bundle, re.DOTALL)
    assert len(blocks) > 100
    assert [block for block in blocks if block not in shipped] == []


@pytest.fixture(scope="module")
def components(root: Path) -> set[str]:
    """The address (purl) of each component of the list of contents, without what comes behind the version."""
    sbom = json.loads((root / SBOM).read_text())
    assert sbom["bomFormat"] == "CycloneDX"
    return {unquote(part["purl"].partition("?")[0]) for part in sbom["components"] if "purl" in part}


class TestSbom:
    """The list of contents names what is installed, by another way of looking than its tools have."""

    def test_every_python_package(self, root: Path, components: set[str]) -> None:
        installed = list(distributions(path=[str(root / "opt/taxiway/lib/python3.13/site-packages")]))
        assert len(installed) > 8
        names = {
            f"pkg:pypi/{d.name.lower().replace('_', '-')}@{d.version}" for d in installed if d.name != "taxiway"
        }
        assert names <= components

    def test_every_debian_package(self, root: Path, components: set[str]) -> None:
        """And each file that was taken from Debian belongs to one of these."""
        stanzas = (root / "var/lib/dpkg/status").read_text().strip().split("\n\n")
        installed = [dict(re.findall(r"(?m)^(Package|Version): (.+)$", stanza)) for stanza in stanzas]
        assert {"git", "openssh-client", "tini", "libc6"} <= {p["Package"] for p in installed}
        assert {f"pkg:deb/debian/{p['Package']}@{p['Version']}" for p in installed} <= components

    def test_python_and_the_libraries_inside_wheels(self, components: set[str]) -> None:
        assert any(purl.startswith("pkg:generic/python@3.13.") for purl in components)
        assert any("cyrus-sasl-lib" in purl for purl in components)

    def test_it_lies_beside_the_image_too(self, root: Path, engine: Engine) -> None:
        assert (engine.directory / "sbom.cdx.json").read_bytes() == (root / SBOM).read_bytes()
