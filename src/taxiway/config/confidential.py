"""Names that speak of secrets: of placeholders, variables, and parameters of a URL."""

import re
from typing import Final

_CONFIDENTIAL: Final = re.compile(r"passw|pwd|secret|token|credential|(private|api|access)_?key", re.IGNORECASE)


def is_confidential(name: str) -> bool:
    """Whether a name says that nobody should see its value. Flyway prints the values of placeholders."""
    return bool(_CONFIDENTIAL.search(name))
