"""Writes `.env.example` from Settings: `.venv/bin/python scripts/env_example.py`."""

from freshet.environment import as_text
from freshet.settings import CHECKOUT, PREFIX, Settings

HEAD = "# Every setting of Freshet with its default. Copy to .env and change what you need.\n"


def main() -> None:
    """Write the file."""
    lines = [
        f"\n# {field.description}\n# {PREFIX}{name.upper()}={as_text(field.default)}\n"
        for name, field in Settings.model_fields.items()
    ]
    (CHECKOUT / ".env.example").write_text(HEAD + "".join(lines))


if __name__ == "__main__":
    main()
