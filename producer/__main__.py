"""`python -m producer`: exits 0 when asked to end, 1 when it cannot go on, 2 when a setting is wrong."""

import sys

from freshet.errors import ConfigError, FreshetError
from freshet.settings import load_settings
from freshet.telemetry import logs
from producer.run import run


def main() -> int:
    """Run the producer. Returns the exit code."""
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logger = logs.configure("producer", settings.log_level)
    try:
        run(settings)
    except FreshetError as error:
        logger.error("end", error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
