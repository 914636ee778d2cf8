"""Where the lake's tables and the queries' checkpoints are. Roots are URIs (`file://`, `s3a://`) or plain paths."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LakePaths:
    """The four Delta tables and the checkpoints under one root."""

    root: str

    def table(self, layer: str) -> str:
        """URI of a layer's table: bronze, silver, gold or rejected."""
        return f"{self.root.rstrip('/')}/{layer}"

    def checkpoint(self, query: str) -> str:
        """URI of a streaming query's checkpoint: serve or lake."""
        return f"{self.root.rstrip('/')}/checkpoints/{query}"

    @property
    def folder(self) -> Path | None:
        """The root as a folder of this machine; None on object storage."""
        if "://" in self.root and not self.root.startswith("file://"):
            return None
        return Path(re.sub("^file:/+", "/", self.root))


LAYERS = ("bronze", "silver", "gold", "rejected")
