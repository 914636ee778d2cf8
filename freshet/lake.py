"""Where the lake's tables and the queries' checkpoints are. Roots are URIs (`file://`, `s3a://`) or plain paths."""

from dataclasses import dataclass


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


LAYERS = ("bronze", "silver", "gold", "rejected")
