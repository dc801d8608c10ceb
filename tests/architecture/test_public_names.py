"""The public surface is what ``__all__`` says, and each name can be had."""

import taxiway


def test_every_public_name_resolves() -> None:
    for name in taxiway.__all__:
        assert getattr(taxiway, name) is not None


def test_dir_shows_the_public_names() -> None:
    assert dir(taxiway) == sorted(taxiway.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(taxiway, "no_such_name")
