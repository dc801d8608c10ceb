"""The Terraform modules as values: what stands in them, read by a parser of their language."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import hcl2

from tests.support.markdown import ROOT

TERRAFORM: Final = ROOT / "infra" / "terraform"
MODULES: Final = ("task", "database", "bastion", "github", "endpoints")

type Block = Mapping[str, Any]


def read_module(directory: Path) -> dict[str, list[Block]]:
    """All blocks of a folder, by kind."""
    found: dict[str, list[Block]] = {}
    for path in sorted(directory.glob("*.tf")):
        for kind, blocks in hcl2.loads(path.read_text(encoding="utf-8")).items():
            if not kind.startswith("__"):
                found.setdefault(plain(kind), []).extend(plain(blocks))
    return found


def labelled(blocks: list[Block]) -> Iterator[tuple[str, Any]]:
    """``("aws_ecs_cluster.cluster", body)``, or ``("name", body)`` of those with one label."""
    for block in blocks:
        [(first, inner)] = block.items()
        names = [*inner]
        if len(names) == 1 and isinstance(inner[names[0]], dict) and first.startswith(("aws_", "terraform_")):
            yield f"{first}.{names[0]}", inner[names[0]]
        else:
            yield first, inner


def plain(value: Any) -> Any:
    """Without the marks of the parser: quotes around texts, and what it notes beside blocks."""
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return json.loads(value) if isinstance(value, str) and value[:1] == value[-1:] == '"' else value
