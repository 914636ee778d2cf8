"""What a backup says of itself: `manifest.json`."""

from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from freshet.errors import PermanentError

NAME: Final = "manifest.json"
FORMAT: Final = 1


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name} is not inside the backup")
    return name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kept(_Part):
    """A file of the backup."""

    sha256: str
    bytes: int


class Span(_Part):
    """Offsets of a partition whose records are in the backup: from `first` on and before `end`, where the log ended."""

    first: int
    end: int


class Manifest(_Part):
    """What is in a backup. Offsets are of the next record to be read."""

    format: int
    made_at: datetime
    freshet: str
    migrations: tuple[str, ...]
    documents: int
    """In the store, a moment before the dump."""
    model: str | None
    """The active embedding model."""
    airflow: str | None
    """Version of the Airflow whose database is in it."""
    indexed: dict[int, int]
    """The indexer's committed offsets of `wiki.gold`, by partition."""
    log: dict[str, dict[int, Span]]
    """By topic and partition."""
    lake: dict[str, int]
    """Version of each Delta table; none when the lake is not in it."""
    checkpoints: dict[str, dict[str, dict[int, int]]]
    """Offsets by query, topic and partition."""
    files: dict[Annotated[str, AfterValidator(_inside)], Kept]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(file.bytes for file in self.files.values())

    def summary(self) -> dict[str, Any]:
        """Without the list of files."""
        return {**self.model_dump(mode="json", exclude={"files"}), "files": len(self.files), "bytes": self.bytes}


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises PermanentError when the folder is none, or one that this code cannot read."""
    try:
        text = (folder / NAME).read_text()
    except OSError as error:
        raise PermanentError(f"{folder} is no backup: it has no {NAME} that can be read") from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise PermanentError(f"{folder / NAME} cannot be understood: {error.errors()[0]['msg']}") from error
    if manifest.format != FORMAT:
        raise PermanentError(
            f"{folder} has format {manifest.format}, this code reads {FORMAT}: use the Freshet it is of"
        )
    return manifest
