"""`python -m tests.fuzz.guided`: a fuzzer that looks for payloads that take new ways through the readers.

It is a process of its own, for it must see them being imported, and it ends the process that it runs in.
"""

import sys

import atheris

with atheris.instrument_imports(include=["context", "freshet.contract", "indexer", "json", "producer", "sseclient"]):
    from tests.fuzz.reading import READERS

TARGETS = tuple(READERS.values())


def one(data: bytes) -> None:
    """The first byte says who reads the others."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


def main() -> None:
    """The options are those of libFuzzer, and the folder of a corpus."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
