"""The registry of the sandbox: which images can be pulled, and what is in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a container's image brings along.

    Attributes:
        digest: ``sha256:`` and 64 hexadecimal digits.
        entry_point: The program and its first arguments.
        environment: Its variables; those of the task definition come on top.
        container: What it is called in the engine of :mod:`sandbox.image`, which knows entry point and variables
            itself; None if a program of this machine stands for it.
    """

    reference: str
    digest: str
    entry_point: tuple[str, ...]
    environment: Mapping[str, str]
    container: str | None

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> Self:
        """From a JSON object with the names of the attributes."""
        return cls(
            reference=description["reference"],
            digest=description["digest"],
            entry_point=tuple(description["entry_point"]),
            environment=description["environment"],
            container=description["container"],
        )


class Registry:
    """The images that were pushed, by their references."""

    def __init__(self) -> None:
        self._images: dict[str, Image] = {}

    def push(self, image: Image) -> None:
        """Have an image from now on, instead of another one with the same reference."""
        self._images[image.reference] = image

    def find(self, reference: str) -> Image | None:
        """The image, if there is one."""
        return self._images.get(reference)
