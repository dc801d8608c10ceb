"""Templates: what refers to what, and what it stands for. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html; of the functions,
those that our template has. Any other is an error, never left as it is.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"\$\{(!?)([A-Za-z0-9:.]+)\}")
_PSEUDO: Final = "AWS::"

type Json = Any
type Template = Mapping[str, Any]


class TemplateRefused(ValueError):
    """The template is malformed, or has something that we do not know. The text is what the API answers."""


def parse_template(body: str) -> Template:
    """A template in JSON.

    Raises:
        TemplateRefused: It is not JSON, has no resources, or refers to what is not there.
    """
    try:
        template: Template = json.loads(body)
    except ValueError as error:
        raise TemplateRefused(f"Template format error: JSON not well-formed. ({error})") from error
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise TemplateRefused("Template format error: At least one Resources member must be defined.")
    for name in resources:
        for other in dependencies(resources[name]):
            if other not in resources:
                raise TemplateRefused(
                    f"Template format error: Unresolved resource dependencies [{other}] in the Resources block of "
                    "the template"
                )
    in_order(template)
    return template


def dependencies(resource: Json) -> set[str]:
    """The logical ids that a resource refers to."""
    named = resource.get("DependsOn", [])
    found = {named} if isinstance(named, str) else set(named)
    return found | {name for name in _references(resource.get("Properties", {})) if not name.startswith(_PSEUDO)}


def _references(value: Json) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from (found[2].partition(".")[0] for found in _NAME.finditer(text) if not found[1])
        case dict():
            for one in value.values():
                yield from _references(one)
        case list():
            for one in value:
                yield from _references(one)


def in_order(template: Template) -> list[str]:
    """The logical ids, each behind those that it refers to.

    Raises:
        TemplateRefused: Some refer to one another in a circle.
    """
    left = {name: dependencies(resource) for name, resource in template.get("Resources", {}).items()}
    ordered: list[str] = []
    while left:
        ready = [name for name, needed in left.items() if not needed & left.keys()]
        if not ready:
            raise TemplateRefused(f"Circular dependency between resources: [{', '.join(sorted(left))}]")
        ordered += ready
        left = {name: needed for name, needed in left.items() if name not in ready}
    return ordered


def resolve(value: Json, look_up: Callable[[str, str | None], Json]) -> Json:
    """A value with every function worked out. ``look_up``: from a name, and an attribute if one is asked for.

    Raises:
        TemplateRefused: A function is not one of ours.
    """
    match value:
        case {"Ref": str(name)}:
            return look_up(name, None)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return look_up(name, attribute)
        case {"Fn::Sub": str(text)}:
            return _NAME.sub(lambda found: _substituted(found, look_up), text)
        case dict():
            unknown = next((key for key in value if key.startswith("Fn::")), None)
            if unknown:
                raise TemplateRefused(f"Template error: the sandbox does not know {unknown} in this form")
            return {key: resolve(one, look_up) for key, one in value.items()}
        case list():
            return [resolve(one, look_up) for one in value]
    return value


def _substituted(found: re.Match[str], look_up: Callable[[str, str | None], Json]) -> str:
    if found[1]:
        return f"${{{found[2]}}}"
    name, _, attribute = found[2].partition(".")
    return str(look_up(name, attribute or None))
