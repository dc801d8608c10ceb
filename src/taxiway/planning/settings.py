"""Is a database as it has to be? Every setting, every tag, every instance."""

from collections.abc import Iterator, Mapping

from taxiway.model.snapshot import Configuration, Difference


def compare(wanted: Configuration, found: Configuration) -> tuple[Difference, ...]:
    """Everything that differs, the database before its instances."""
    return (*_compare(wanted.kind.value, wanted, found), *_compare_instances(wanted, found))


def _compare_instances(wanted: Configuration, found: Configuration) -> Iterator[Difference]:
    there = {one.name: one for one in found.instances}
    for one in wanted.instances:
        where = f"instance {one.name}"
        if one.name not in there:
            yield Difference(where, "the instance", "there", "missing")
            continue
        other = there.pop(one.name)
        yield from _differences(where, one.settings, other.settings)
        yield from _differences(where, _as_settings(one.tags), _as_settings(other.tags))
    for name in there:
        yield Difference(f"instance {name}", "the instance", "missing", "there")


def _compare(where: str, wanted: Configuration, found: Configuration) -> Iterator[Difference]:
    yield from _differences(where, wanted.settings, found.settings)
    yield from _differences(where, _as_settings(wanted.tags), _as_settings(found.tags))


def _differences(where: str, wanted: Mapping[str, object], found: Mapping[str, object]) -> Iterator[Difference]:
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield Difference(where, name, wanted.get(name), found.get(name))


def _as_settings(tags: Mapping[str, str]) -> dict[str, object]:
    return {f"tag {key}": value for key, value in tags.items()}
