"""The template as text, in JSON or YAML.

Every text in the YAML is in double quotes with JSON's escapes, which YAML 1.2 takes over as they are (chapter
5.7): no word of it can be taken for a number, a date or ``no``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_PLAIN_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:::[A-Za-z0-9]+)*")
# Words that YAML 1.1 takes for true, false or nothing
_NO_KEYS: Final = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})


def write_json(template: Mapping[str, Any]) -> str:
    """Indented, with a line feed at its end."""
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def write_yaml(template: Mapping[str, Any]) -> str:
    """The same content as YAML."""
    return "\n".join(_lines(template, "")) + "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    items = value.items() if isinstance(value, Mapping) else ((None, item) for item in value)
    for key, item in items:
        lead = "-" if key is None else f"{_key(key)}:"
        if isinstance(item, Mapping | list) and item:
            inner = [*_lines(item, f"{indent}  ")]
            if key is None:
                yield f"{indent}- {inner[0].lstrip()}"
                yield from inner[1:]
            else:
                yield f"{indent}{lead}"
                yield from inner
        else:
            yield f"{indent}{lead} {json.dumps(item, ensure_ascii=False)}"


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and key.lower() not in _NO_KEYS else json.dumps(key)
