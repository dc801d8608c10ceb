"""Frames come whole out of pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.tunnel.frames import Command, Frame, FrameReader, FramesDamaged, encode_frame

frames = st.builds(Frame, st.sampled_from(Command), st.integers(0, 2**32 - 1), st.binary(max_size=300))


@given(st.lists(frames, max_size=6), st.integers(1, 50))
def test_frames_are_what_they_were_however_they_are_cut(sent: list[Frame], size: int) -> None:
    content = b"".join(map(encode_frame, sent))
    reader = FrameReader()
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    assert [frame for piece in pieces for frame in reader.feed(piece)] == sent


def test_a_frame_is_that_of_smux() -> None:
    assert encode_frame(Frame(Command.DATA, 3, b"ab")) == b"\x01\x02\x02\x00\x03\x00\x00\x00ab"


def test_another_version_is_refused() -> None:
    with pytest.raises(FramesDamaged):
        list(FrameReader().feed(b"\x02" + b"\0" * 7))
