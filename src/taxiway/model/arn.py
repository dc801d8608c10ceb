"""What the name of a resource says of it, if it is an ARN ("Amazon Resource Names", AWS General Reference)."""

from typing import Final

# arn:partition:service:region:account:…
_REGION: Final = 3


def find_region(*names: str | None) -> str | None:
    """The region of the first of these names that is an ARN with one."""
    parts = (name.split(":") for name in names if name and name.startswith("arn:"))
    return next((one[_REGION] for one in parts if len(one) > _REGION and one[_REGION]), None)
