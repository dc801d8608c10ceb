"""A manifest as tags of the snapshot itself (docs/adr/0070-manifest-in-tags.md).

The settings as JSON, compressed, in base64, cut to the length of a tag's value. Base64 has only letters that a tag
may have. A tag of its own tells the number of pieces and a checksum, so that a manifest that lacks a piece, or has
one of another, is none.

"Tag restrictions" (RDS manual): 50 tags, values of up to 256 characters.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from taxiway import errors
from taxiway.model.snapshot import Configuration, DatabaseKind, InstanceConfiguration

MANIFEST_TAG: Final = "taxiway:manifest"
MOST_TAGS: Final = 50
_VALUE_LENGTH: Final = 256
_VERSION: Final = 1
_HEAD: Final = re.compile(r"(?P<version>\d{1,3}) (?P<pieces>\d{1,2}) (?P<checksum>[0-9a-f]{8})")
# More than this is nobody's settings: who can set tags shall not fill the memory of who reads them.
_MOST_BYTES: Final = 1_000_000


def encode_manifest(configuration: Configuration, *, other_tags: int) -> dict[str, str]:
    """The tags that hold the configuration, beside so many others.

    Raises:
        ManifestTooLarge: There is no room for it.
    """
    content = asdict(configuration) | {"kind": configuration.kind.value}
    text = json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    pieces = [packed[start : start + _VALUE_LENGTH] for start in range(0, len(packed), _VALUE_LENGTH)]
    needed = len(pieces) + 1
    if needed + other_tags > MOST_TAGS:
        raise errors.ManifestTooLarge(
            f"The settings of the database need {needed} tags on the snapshot, and it has room for "
            f"{MOST_TAGS - other_tags}.",
            hint="Remove tags of the database, above all long ones, or make the snapshot with 'aws rds'.",
        )
    head = f"{_VERSION} {len(pieces)} {zlib.crc32(packed.encode()):08x}"
    return {MANIFEST_TAG: head} | {_key(number): piece for number, piece in enumerate(pieces, 1)}


def decode_manifest(tags: Mapping[str, str]) -> Configuration | None:
    """The configuration in the tags; None if they have none, or only parts of one, or one of a later version."""
    head = _HEAD.fullmatch(tags.get(MANIFEST_TAG, ""))
    if head is None or int(head["version"]) != _VERSION:
        return None
    packed = "".join(tags.get(_key(number), "") for number in range(1, int(head["pieces"]) + 1))
    if zlib.crc32(packed.encode()) != int(head["checksum"], 16):
        return None
    try:
        return _read(json.loads(_unpack(packed)))
    except (binascii.Error, zlib.error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def is_manifest_tag(key: str) -> bool:
    """Whether the tag holds a part of a manifest."""
    return key.startswith(MANIFEST_TAG)


def _key(number: int) -> str:
    return f"{MANIFEST_TAG}-{number:02}"


def _unpack(packed: str) -> bytes:
    unpacker = zlib.decompressobj()
    return unpacker.decompress(base64.b64decode(packed, validate=True), _MOST_BYTES)


def _read(content: Mapping[str, Any]) -> Configuration:
    return Configuration(
        kind=DatabaseKind(content["kind"]),
        settings=dict(content["settings"]),
        tags=dict(content["tags"]),
        instances=tuple(
            InstanceConfiguration(
                name=str(one["name"]),
                is_writer=bool(one["is_writer"]),
                settings=dict(one["settings"]),
                tags=dict(one["tags"]),
            )
            for one in content["instances"]
        ),
    )
