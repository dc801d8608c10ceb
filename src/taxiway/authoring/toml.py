"""The text of a new ``taxiway.toml``."""

import json
from collections.abc import Iterable, Mapping


def render_project(
    name: str,
    project_id: str,
    settings: Mapping[str, object],
    *,
    remarks: Iterable[str] = (),
    examples: Iterable[str] = (),
) -> str:
    """Remarks, then tables and keys in the order given, by their places such as ``flyway.outOfOrder``.

    ``examples`` are comments at the end, which belong to the last table.
    """
    lines = [f"# Project {' '.join(name.split())}, {project_id}", "# All settings: taxiway config"]
    lines += [f"# {remark}" for remark in remarks]
    for table in dict.fromkeys(path.partition(".")[0] for path in settings):
        lines += ["", f"[{table}]"]
        lines += [
            f"{path.partition('.')[2]} = {quote(value)}"
            for path, value in settings.items()
            if path.partition(".")[0] == table
        ]
    lines += [f"# {example}" for example in examples]
    return "\n".join(lines) + "\n"


def quote(value: object) -> str:
    """As TOML has it, which is as JSON has it but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
