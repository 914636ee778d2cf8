"""Frames out of arbitrarily cut bytes."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.frames import Frame, StreamClosedError, frames

LINE_BYTES = st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"").replace(b"\r", b""))


def received(chunks: Iterable[bytes]) -> list[Frame]:
    out: list[Frame] = []
    with pytest.raises(StreamClosedError):
        out.extend(frames(chunks))  # what came before the error stays in the list
    return out


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[Frame]]:
    """A stream's bytes beside the frames that it means, written down while it is made."""
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    body, expected, last_id = b":ok" + end + end, [], ""
    for _ in range(draw(st.integers(0, 5))):
        event = draw(st.sampled_from([None, "message", "error"]))
        number = draw(st.none() | st.integers(0, 99))
        lines = draw(st.lists(LINE_BYTES, min_size=1, max_size=3))
        if event:
            body += b"event: " + event.encode() + end
        if number is not None:
            last_id = f'[{{"timestamp":{number}}}]'
            body += b"id: " + last_id.encode() + end
        body += b"".join(b"data: " + line + end for line in lines) + b": a comment" + end + end
        expected.append(Frame(last_id, event or "message", b"\n".join(lines)))
    return body, expected


@given(streams(), st.lists(st.integers(0, 400)))
def test_frames_are_the_same_wherever_the_bytes_are_cut(stream: tuple[bytes, list[Frame]], cuts: list[int]) -> None:
    body, expected = stream
    edges = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    chunks = [body[start:stop] for start, stop in pairwise(edges)]
    assert received(chunks) == expected


def test_an_unfinished_frame_is_dropped_when_the_stream_ends() -> None:
    assert received([b"id: 1\ndata: whole\n\nid: 2\ndata: hal"]) == [Frame("1", "message", b"whole")]


def test_bytes_that_are_not_utf8_come_out_unchanged() -> None:
    data = bytes(byte for byte in range(256) if byte not in b"\r\n")
    assert received([b"data: " + data + b"\n\n"]) == [Frame("", "message", data)]


def test_a_frame_comes_out_before_the_next_bytes_are_asked_for() -> None:
    def chunks() -> Iterable[bytes]:
        yield b"data: now\n\n"
        raise AssertionError("asked for more before the frame was handed out")

    assert next(frames(chunks())).data == b"now"
