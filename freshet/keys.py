"""API keys: random, shown once, and known afterwards by their hash alone."""

import hashlib
import re
import secrets
from typing import Final, NamedTuple

_ENTRY: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}):([0-9a-f]{64})")


class Entry(NamedTuple):
    """What is kept of a key: whose it is, and its SHA-256 in hexadecimal. No salt, because no two keys are alike."""

    name: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name}:{self.sha256}"


def make() -> str:
    """A new key of 256 random bits: nothing that could be guessed, so a quick hash protects it."""
    return secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """A key's SHA-256 in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def read(text: str) -> Entry | None:
    """An entry as it is written, `NAME:SHA256`; None when it is none."""
    found = _ENTRY.fullmatch(text)
    return Entry(*found.groups()) if found else None
