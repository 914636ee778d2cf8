"""Bytes of a server-sent event stream -> whole frames with their exact data.

sseclient-py reads a frame. What it does not do as the standard says is done here: line ends of every kind, the byte
order mark, the last id (also of a frame without data, an empty one, and one that is none), and the end of the bytes, at
which what is left is no frame.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sseclient import SSEClient

from freshet.errors import TransientError

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


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
    last_id = b""
    for block in _blocks(chunks):
        last_id = _id(block, last_id)
        # latin-1 maps every byte to one character and back, so whatever the data holds comes out unchanged.
        for event in SSEClient(iter([block]), char_enc="latin-1").events():
            yield Frame(last_id.decode("latin-1"), event.event, event.data.encode("latin-1"))
    raise StreamClosedError("the server ended the stream")


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines up to a blank one and with it, each ended by a line feed."""
    rest = b""
    for chunk in _marked_off(chunks):
        *blocks, rest = (rest + chunk).split(b"\n\n")
        yield from (block + b"\n\n" for block in blocks)


def _marked_off(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes with a line feed for each end of a line. A carriage return ends its line at once; a line feed that
    comes after it, also in the next chunk, belongs to it."""
    returned = False
    for chunk in filter(None, _unmarked(chunks)):
        rest = chunk.removeprefix(b"\n") if returned else chunk
        returned = chunk.endswith(b"\r")
        yield rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _unmarked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes without the mark of their order, where they begin with one."""
    begin, coming = b"", iter(chunks)
    for chunk in coming:
        begin += chunk
        if len(begin) >= len(_BYTE_ORDER_MARK) or not _BYTE_ORDER_MARK.startswith(begin):
            yield begin.removeprefix(_BYTE_ORDER_MARK)
            break
    yield from coming


def _id(block: bytes, last_id: bytes) -> bytes:
    """The last id after a block. One with a NUL in it is none."""
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"id" and b"\0" not in value:
            last_id = value.removeprefix(b" ")
    return last_id
