"""Words of time in an English question, as a window to search. Days begin at midnight UTC."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}
_NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_BEFORE: Final = r"(?:in|during|over|within|for)\s+(?:the\s+|these\s+)?"
_SPAN: Final = rf"(?:last|past)\s+(?:(?P<number>\d{{1,4}}|{'|'.join(_NUMBERS)})\s+)?(?P<unit>{'|'.join(_UNITS)})s?\b"
# Without "in the" before it, "last week" may be the beginning of a name, unless the clause ends there.
_LAST: Final = re.compile(
    rf"\b(?:{_BEFORE}{_SPAN}|(?:the\s+)?{_SPAN.replace('?P<', '?P<bare_')}(?=\s*(?:[?.!,;]|$)))", re.I
)
_SINCE: Final = re.compile(
    rf"\bsince\s+(?:(?P<day>{'|'.join(_DAYS)}|today|yesterday|midnight)|(?P<date>\d{{4}}-\d\d-\d\d))\b", re.I
)
# "USA Today" and "Yesterday" are names: a capital letter counts only where a sentence begins.
_DAY: Final = re.compile(r"(?:(?<=^)|(?<=[?.!]\s))(?P<first>Today|Yesterday)\b|\b(?P<day>today|yesterday)\b")
_QUOTED: Final = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Window:
    """What was found: event times in `[since, until)`, the words that said so, and the question without them."""

    since: datetime
    until: datetime | None
    words: str
    rest: str


def read(question: str, now: datetime) -> Window | None:
    """The window that the question names; None when it names none, or only inside a quotation."""
    plain = _QUOTED.sub(lambda found: "\x00" * len(found[0]), question)
    for pattern, window in ((_LAST, _last), (_SINCE, _since), (_DAY, _day)):
        if (found := pattern.search(plain)) and (bounds := window(found, now)):
            rest = f"{question[: found.start()]} {question[found.end() :]}"
            return Window(*bounds, found[0].strip(), _tidy(rest))
    return None


Bounds = tuple[datetime, datetime | None]


def _last(found: re.Match[str], now: datetime) -> Bounds:
    named = found.groupdict()
    number = (named["number"] or named["bare_number"] or "1").lower()
    unit = _UNITS[(named["unit"] or named["bare_unit"]).lower()]
    count = _NUMBERS.index(number) + 1 if number in _NUMBERS else int(number)
    return now - count * unit, None


def _since(found: re.Match[str], now: datetime) -> Bounds | None:
    if found["date"]:
        try:
            return datetime.fromisoformat(found["date"]).replace(tzinfo=now.tzinfo), None
        except ValueError:
            return None
    day = found["day"].lower()
    if day in _DAYS:
        return _midnight(now) - timedelta(days=(now.weekday() - _DAYS.index(day)) % 7), None
    return _midnight(now) - timedelta(days=1 if day == "yesterday" else 0), None


def _day(found: re.Match[str], now: datetime) -> Bounds:
    today = _midnight(now)
    if (found["first"] or found["day"]).lower() == "yesterday":
        return today - timedelta(days=1), today
    return today, None


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _tidy(text: str) -> str:
    joined = re.sub(r"\s+", " ", text)
    return re.sub(r"\s+([?.!,;])", r"\1", joined).strip(" ,;")
