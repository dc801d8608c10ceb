"""Time grows with the length of what is read, and not with its square."""

import pytest

from fuzz.growth import measure_growth
from fuzz.target import Target
from fuzz.targets import all_targets

SHAPES = [
    pytest.param(target, shape, id=f"{name}: {shape}")
    for name, target in all_targets().items()
    for shape in target.shapes
]


def quadratic(data: bytes) -> None:
    for start in range(0, len(data), 64):
        data[start:].count(b"x")
        sum(data[start : start + 64])
        data[start:].replace(b"a", b"bc")


def linear(data: bytes) -> None:
    sum(data)


def test_growth_with_the_square_is_noticed() -> None:
    assert not measure_growth(quadratic, lambda times: b"a" * times).is_linear


def test_growth_with_the_length_is_none_to_speak_of() -> None:
    assert measure_growth(linear, lambda times: b"a" * times).is_linear


@pytest.mark.parametrize(("target", "shape"), SHAPES)
def test_four_times_as_much_takes_less_than_eight_times_as_long(target: Target, shape: str) -> None:
    growth = measure_growth(target.check, target.shapes[shape])
    assert growth.is_linear, str(growth)
