"""What values settings take: paths, ports, names. `freshet.settings` has the settings themselves."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, SecretStr

CHECKOUT = Path(__file__).resolve().parent.parent
SECRETS: Final = Path("/run/secrets")
"""Where containers are given secrets, a file each."""

ORIGIN: Final = re.compile(r"\*|https?://[^/\s]+")
NAMED_URL: Final = re.compile(r"[a-z][a-z-]*=https?://\S+")


# libpq repeats what it cannot read, which may be the password
_DSN: Final = re.compile(
    r"(postgres(ql)?://([^@/?#\s%]|%[0-9A-Fa-f]{2})*(@[^@/?#\s]*)?([/?][^@\s]*)?)?"
    r"|(\w+\s*=\s*('([^'\\]|\\.)*'|[^\s'][^\s]*)\s*)+"
)
_URL: Final = re.compile(r"(https?://[^\s/]+\S*)?")


def _dsn(value: SecretStr) -> SecretStr:
    if _DSN.fullmatch(value.get_secret_value()) is None:
        raise ValueError(
            "must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, in which %, @, / and the like of a password are "
            "percent-encoded, or NAME=VALUE words"
        )
    return value


def _secret_url(value: SecretStr) -> SecretStr:
    if _URL.fullmatch(value.get_secret_value()) is None:
        raise ValueError("must be an address that begins with http:// or https://")
    return value


def _rate_limit(value: str) -> str:
    if value:
        # only where there is a limit: it takes a fifth of a second to load, in every process
        import limits

        try:
            (rate,) = limits.parse_many(value)
        except ValueError as error:
            raise ValueError("must be one limit, such as 600/minute") from error
        if rate.amount < 1:
            raise ValueError("must let at least one request through")
    return value


ModelId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Port = Annotated[int, Field(ge=1024, le=65535)]
Url = Annotated[str, Field(pattern=r"^(https?://\S+)?$")]
"""An address, or nothing."""

Dsn = Annotated[SecretStr, AfterValidator(_dsn)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]

ContextSource = Annotated[str, Field(pattern=r"^(auto|wikidata|none|https?://\S+)$")]
RateLimit = Annotated[str, AfterValidator(_rate_limit)]
Layer = Literal["bronze", "silver", "gold", "rejected"]
Memory = Annotated[str, Field(pattern=r"^\d+[mg]$")]
UserPath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
CheckoutPath = Annotated[Path, AfterValidator(lambda path: CHECKOUT / path.expanduser())]


class Source(StrEnum):
    """Where edits come from."""

    AUTO = "auto"
    LIVE = "live"
    RECORDING = "recording"
    SIMULATED = "simulated"
