"""Bytes of a server-sent event stream -> whole frames with their exact data.

sseclient-py finds the frames. Three of its ways are not ours and are met here: it hands out what is left at the end of
the bytes as if it were a whole frame, it dies of bytes that are not UTF-8, and it forgets the last id when a frame
names none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sseclient import SSEClient

from freshet.errors import TransientError


@dataclass(frozen=True, slots=True)
class Frame:
    """One dispatched event: the last id the stream named ("" before the first), its type, its data byte for byte."""

    id: str
    event: str
    data: bytes


class StreamClosedError(TransientError):
    """The server ended the stream. What came of an unfinished frame is dropped, as the standard says."""


def frames(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """The frames of a stream, each as soon as its blank line has come. Ends by raising StreamClosedError."""
    last_id = ""
    # latin-1 maps every byte to one character and back, so whatever the data holds comes out unchanged.
    for event in SSEClient(_until_closed(chunks), char_enc="latin-1").events():
        last_id = event.id or last_id
        yield Frame(last_id, event.event, event.data.encode("latin-1"))


def _until_closed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield from chunks
    # Raised rather than returned: at a normal end the client would dispatch the truncated frame it holds.
    raise StreamClosedError("the server ended the stream")
