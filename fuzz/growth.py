"""How time grows with the length of an input: it must not grow with the square.

Times are those of the process on the processor, so that other processes disturb them little; of several runs the
shortest counts.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

TIMES: Final = 4
"""How many times as long the longer input is. Linear time grows as much, the square of it to 16 times as much."""
LIMIT: Final = 8.0
"""What the time may grow to."""

_WORTH_MEASURING: Final = 0.02
# No file of the configuration may be longer; what takes no time then is good enough.
_LONGEST: Final = 1 << 20
_RUNS: Final = 4


@dataclass(frozen=True, slots=True)
class Growth:
    """What was measured: the length and the seconds of both inputs."""

    short: tuple[int, float]
    long: tuple[int, float]

    @property
    def ratio(self) -> float:
        """How many times as long the longer one took."""
        return self.long[1] / self.short[1]

    @property
    def is_linear(self) -> bool:
        """Near enough; what takes no time is."""
        return self.long[1] < _WORTH_MEASURING or self.ratio < LIMIT

    def __str__(self) -> str:
        parts = (f"{seconds:.3f} s for {length} bytes" for length, seconds in (self.short, self.long))
        return f"{', '.join(parts)}: {self.ratio:.1f} times as long for {TIMES} times as much"


def measure_growth(check: Callable[[bytes], None], shape: Callable[[int], bytes]) -> Growth:
    """Look for a length that is worth measuring, and compare with four times that."""
    times = 64
    seconds = _seconds(check, shape(times))
    while seconds < _WORTH_MEASURING and len(shape(times * 2)) * TIMES < _LONGEST:
        times *= 2
        seconds = _seconds(check, shape(times))
    short, long = shape(times), shape(times * TIMES)
    growth = Growth((len(short), seconds), (len(long), _seconds(check, long)))
    for _ in range(_RUNS - 1):
        if growth.is_linear:
            break
        growth = Growth(_better(check, short, growth.short), _better(check, long, growth.long))
    return growth


def _better(check: Callable[[bytes], None], data: bytes, before: tuple[int, float]) -> tuple[int, float]:
    return len(data), min(before[1], _seconds(check, data))


def _seconds(check: Callable[[bytes], None], data: bytes) -> float:
    # The passes of the collector grow with what others have left in memory.
    gc.disable()
    try:
        start = time.process_time()
        check(data)
        return max(time.process_time() - start, 1e-9)
    finally:
        gc.enable()
