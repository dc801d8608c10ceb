"""The generator writes the same bytes everywhere, and data goes into a server as it is."""

from itertools import islice
from pathlib import Path

import pytest

from bench.workloads import Workload, read_manifest, write_workload


# The digests of what published figures were taken with: a change of the generator makes them incomparable.
@pytest.mark.parametrize(
    ("name", "size", "digest"),
    [
        ("three", 3, "0dcf002e"),
        ("mixed", 100, "68322fe2"),
        ("tables", 1000, "c1fb7510"),
        ("insert", 1, "9e248c66"),
        ("copy", 1, "45e10867"),
    ],
)
def test_a_workload_is_the_same_everywhere(name: str, size: int, digest: str, tmp_path: Path) -> None:
    workload = Workload(name=name, size=size)
    manifest = write_workload(workload, tmp_path / "scripts")
    assert manifest.sha256.startswith(digest)
    assert manifest.files == workload.count
    assert read_manifest(tmp_path / "scripts") == manifest


def test_migrations_that_do_nothing_are_a_kilobyte_each(tmp_path: Path) -> None:
    manifest = write_workload(Workload(name="nothing", size=20), tmp_path)
    assert manifest.files == 20
    assert 950 < manifest.bytes / manifest.files < 1100
    assert (tmp_path / "V00020__noop_20.sql").read_text().endswith("\nSELECT 20;\n")


@pytest.mark.parametrize("name", ["insert", "copy"])
def test_a_data_file_is_as_large_as_was_asked_for(name: str, tmp_path: Path) -> None:
    manifest = write_workload(Workload(name=name, size=2), tmp_path)
    assert 2_000_000 <= manifest.bytes < 2_300_000


def test_the_names_sort_in_the_order_of_their_versions(tmp_path: Path) -> None:
    write_workload(Workload(name="mixed", size=12), tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.partition("__")[0] for name in islice(names, 12)] == [f"V{n:02d}" for n in range(1, 13)]
