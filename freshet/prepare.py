"""Makes the topics and brings the store's schema up to date: `python -m freshet.prepare`. Safe at any time."""

from freshet.errors import FreshetError
from freshet.log import ensure_topics
from freshet.settings import load_settings
from freshet.store.migrate import migrate
from freshet.telemetry import logs


def main() -> None:
    """Prepare the log and the store that the settings name."""
    settings = load_settings()
    log = logs.configure("prepare", settings.log_level)
    log.info("prepared", topics_made=ensure_topics(settings), migrations_applied=migrate(settings.conninfo))


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
