"""How the emulator is changed: in one place, so that it is seen what depends on its inside."""

from collections.abc import Callable
from typing import Any


def replace(owner: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Put our method in the place of one that is there, which is given back.

    Raises:
        AttributeError: There is no such method: the emulator has changed.
    """
    genuine: Callable[..., Any] = getattr(owner, name)
    setattr(owner, name, method)
    return genuine
