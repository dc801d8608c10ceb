"""Links lead somewhere, configuration in the pages is accepted, and the pages hold nothing of this machine."""

import re
from pathlib import PurePosixPath
from typing import Final

import pytest

from taxiway.config.toml import parse_toml
from tests.support.examples import blocks
from tests.support.markdown import PAGES, ROOT, read_page

_LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE: Final = re.compile(r"^ *```.*?^ *```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
_MACHINE: Final = re.compile(r"/(?:root|tmp|work|home)/(?!taxiway\b)\w")
_EVERYTHING: Final = ("docs/index.md", "README.md")


def links(page: str) -> list[str]:
    """Targets of the links of a page, without those to other sites."""
    text = _CODE.sub("", read_page(page))
    return [found["target"] for found in _LINK.finditer(text) if "://" not in found["target"]]


def resolved(page: str, target: str) -> str:
    """The path of a link's target, from the root of the repository."""
    path = target.partition("#")[0]
    full = (ROOT / page).parent / path if path else ROOT / page
    return full.resolve().relative_to(ROOT).as_posix()


def anchors(page: str) -> set[str]:
    """What links can point to in a page, made of its headings as Git hosts do it."""
    text = re.sub(r"^```.*?^```$", "", read_page(page), flags=re.MULTILINE | re.DOTALL)
    words = (re.sub(r"[^\w\- ]", "", found["text"].lower()) for found in _HEADING.finditer(text))
    return {word.replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for target in links(page):
        path = resolved(page, target)
        assert (ROOT / path).exists(), f"{page}: {target}"
        anchor = target.partition("#")[2]
        assert not anchor or anchor in anchors(path), f"{page}: {target}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_every_page_of_the_documentation_can_be_reached(page: str) -> None:
    starts = set(_EVERYTHING)
    reached: set[str] = set()
    while starts:
        here = starts.pop()
        reached.add(here)
        targets = {resolved(here, target) for target in links(here)}
        starts |= {path for path in targets if PurePosixPath(path).suffix == ".md"} - reached
    assert page in reached


@pytest.mark.parametrize("page", PAGES)
def test_configuration_in_a_page_is_accepted(page: str) -> None:
    for block in blocks(read_page(page)):
        if block.language == "toml" and block.file in {None, "taxiway.toml"}:
            accepted = parse_toml(block.text)
            ours = ("[task]", "[tunnel]", "[infra]")
            assert accepted.given or accepted.roles or any(table in block.text for table in ours)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_no_path_of_a_machine(page: str) -> None:
    assert _MACHINE.findall(read_page(page)) == []
