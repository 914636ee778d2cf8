"""`python -m freshet.probe URL [PART]`: ends with 0 when the address answers well, for the health checks of containers.

With PART, the answer is Airflow's report on its health, and must call this part healthy.
"""

import json
import sys
from typing import Final
from urllib.request import ProxyHandler, build_opener

TIMEOUT_S: Final = 3.0
_DIRECT: Final = build_opener(ProxyHandler({}))


def is_well(url: str, part: str = "") -> bool:
    """Whether it answers, and well."""
    try:
        with _DIRECT.open(url, timeout=TIMEOUT_S) as answer:
            return not part or json.load(answer)[part]["status"] == "healthy"
    except (OSError, ValueError, KeyError, TypeError):
        return False


if __name__ == "__main__":
    sys.exit(0 if is_well(*sys.argv[1:]) else 1)
