"""The public surface is what ``__all__`` says, and each name can be had."""

import taxiway
from taxiway.api import Options
from taxiway.config.options import OPTIONS


def test_every_public_name_resolves() -> None:
    for name in taxiway.__all__:
        assert getattr(taxiway, name) is not None


def test_dir_shows_the_public_names() -> None:
    assert dir(taxiway) == sorted(taxiway.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(taxiway, "no_such_name")


def test_the_library_has_every_option_of_the_table() -> None:
    assert set(Options.__annotations__) == {option.identifier for option in OPTIONS if option.for_programs}
