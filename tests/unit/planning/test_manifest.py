import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.model.snapshot import Configuration, DatabaseKind
from taxiway.planning.manifest import MANIFEST_TAG, decode_manifest, encode_manifest
from tests.support.fake_rds import cluster, instance

CONFIGURATION = cluster("shop", instance("shop-1"), instance("shop-2")).configuration
# "Tag restrictions" (RDS manual)
_IN_TAGS = {*string.ascii_letters, *string.digits, *" _.:/=+-@"}


def test_what_is_encoded_is_decoded() -> None:
    assert decode_manifest({"team": "shop", **encode_manifest(CONFIGURATION, other_tags=5)}) == CONFIGURATION


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=60) | st.integers() | st.booleans(), max_size=10))
def test_every_setting_survives_in_letters_that_a_tag_may_have(settings: dict[str, object]) -> None:
    configuration = Configuration(kind=DatabaseKind.INSTANCE, settings=settings, tags={"ä": "ö"})
    tags = encode_manifest(configuration, other_tags=0)
    assert decode_manifest(tags) == configuration
    for key, value in tags.items():
        assert {*key, *value} <= _IN_TAGS
        assert len(value) <= 256


def test_what_lacks_a_piece_or_has_another_is_no_manifest() -> None:
    many = {f"key {number}": f"{hash(str(number)):x}" for number in range(60)}
    tags = encode_manifest(replace(CONFIGURATION, tags=many), other_tags=0)
    assert len(tags) > 3
    for key in tags:
        assert decode_manifest({one: value for one, value in tags.items() if one != key}) is None
        assert decode_manifest({**tags, key: tags[key][:-1]}) is None


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {MANIFEST_TAG: ""},
        {MANIFEST_TAG: "2 1 00000000"},
        {MANIFEST_TAG: "1 0 00000000"},
        {MANIFEST_TAG: "1 1 12b1ec54", f"{MANIFEST_TAG}-01": "no base64!"},
    ],
)
def test_what_is_none_is_none(tags: dict[str, str]) -> None:
    assert decode_manifest(tags) is None


def test_settings_that_do_not_fit_are_an_error_before_anything_is_made() -> None:
    import random

    chance = random.Random(1)
    many = {f"key{number}": f"{chance.getrandbits(1000):x}" for number in range(60)}
    with pytest.raises(errors.ManifestTooLarge, match="room for 45"):
        encode_manifest(replace(CONFIGURATION, tags=many), other_tags=5)
