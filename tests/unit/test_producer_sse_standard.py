"""The reader against the standard: any lines, line ends, byte order marks and cuts, read as WHATWG HTML 9.2.6 says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from producer.frames import Frame
from tests.unit.test_producer_frames import received

END = st.sampled_from([b"\n", b"\r\n", b"\r"])
NAMES = st.sampled_from([b"data", b"id", b"event", b"retry", b"", b"unknown", b"Data", b" data", b"dat\xc3\xa4"])
VALUES = st.binary(max_size=8).map(lambda value: value.replace(b"\n", b"").replace(b"\r", b""))
LINES = st.one_of(
    st.just(b""),
    st.just(b""),
    VALUES,
    st.tuples(NAMES, st.sampled_from([b"", b":", b": ", b":  "]), VALUES).map(b"".join),
)


@dataclass
class Standard:
    """The algorithm of the standard, step by step, over whole lines."""

    last_id: bytes = b""
    event: bytes = b""
    data: list[bytes] = field(default_factory=list)

    def frames(self, lines: list[bytes]) -> Iterator[Frame]:
        for line in lines:
            if line:
                self._field(line)
            elif self.data:
                event = self.event.decode("latin-1") or "message"
                yield Frame(self.last_id.decode("latin-1"), event, b"\n".join(self.data))
                self.event, self.data = b"", []
            else:
                self.event = b""

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self.data.append(value)
        elif name == b"event":
            self.event = value
        elif name == b"id" and b"\0" not in value:
            self.last_id = value


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """The bytes of a stream and its lines; the last line may have no end, which makes it none."""
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    lines = draw(st.lists(LINES, max_size=12))
    ends = [draw(END) for _ in lines]
    body = b"".join(
        line + (b"\r\n" if end == b"\r" and after == b"" else end)  # else the two would be one end
        for line, end, after in zip(lines, ends, [*lines[1:], b"x"], strict=False)
    )
    rest = draw(st.sampled_from([b"", b"data: unfinished"]))
    if mark == b"" and body.startswith(b"\xef\xbb\xbf"):
        return b"", []
    return mark + body + rest, lines


@settings(max_examples=1000, deadline=None)
@example(stream=(b"data: a\r\rdata: b\r\n\r\n", [b"data: a", b"", b"data: b", b""]), cuts=[8, 9])
@example(stream=(b"data\n\n", [b"data", b""]), cuts=[])
@example(stream=(b"event: x\n\ndata: y\n\n", [b"event: x", b"", b"data: y", b""]), cuts=[])
@example(stream=(b"id: 1\0\ndata: y\n\n", [b"id: 1\0", b"data: y", b""]), cuts=[])
@example(stream=(b"id: 1\ndata: y\n\nid\ndata: z\n\n", [b"id: 1", b"data: y", b"", b"id", b"data: z", b""]), cuts=[])
@given(streams(), st.lists(st.integers(1, 200)))
def test_frames_are_those_of_the_standard(stream: tuple[bytes, list[bytes]], cuts: list[int]) -> None:
    body, lines = stream
    edges = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    assert received(body[start:stop] for start, stop in pairwise(edges)) == list(Standard().frames(lines))
