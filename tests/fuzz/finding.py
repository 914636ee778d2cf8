"""What was found: a payload for which something does not hold, kept in a file."""

import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

from freshet.errors import PermanentError

SHOWN: Final = 300


def hold(what: bool, sentence: str, payload: bytes) -> None:
    """Raises PermanentError when it does not."""
    if not what:
        raise PermanentError(f"it does not hold that {sentence}: {named(payload)}")


def named(payload: bytes) -> str:
    """The beginning of a payload, and the file that has all of it."""
    file = Path(tempfile.gettempdir()) / f"freshet-fuzz-{sha256(payload).hexdigest()[:16]}"
    file.write_bytes(payload)
    return f"{payload[:SHOWN]!r}, all {len(payload)} bytes in {file}"
