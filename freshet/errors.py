"""The errors of Freshet, by what a caller should do about them.

FreshetError
├── ConfigError      a setting is wrong: the start stops and names it
├── TransientError   try again later, with back-off and a cap
├── PermanentError   do not try again: something must be mended first
└── DataError        this one record is bad: reject it with its reason and go on
"""


class FreshetError(Exception):
    """Base of every error that Freshet raises on purpose. Its text says what to do."""


class ConfigError(FreshetError):
    """A setting has a value that cannot work. The text names the setting."""


class TransientError(FreshetError):
    """Something outside is not there now and may be back soon."""


class PermanentError(FreshetError):
    """Trying again will not help."""


class DataError(FreshetError):
    """One record cannot be used.

    `reason` is one of `freshet.contract.rejections.Reason`; the text is the detail kept beside it.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
