"""Which breaches begin, last and end. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from freshet.store.sla import Breach, Check
from freshet.upkeep.sla import is_breach, is_open


@dataclass(frozen=True)
class Step:
    """What one run made of the breaches that were known: `all` of them, and among these what changed."""

    all: Sequence[Breach]
    begun: Sequence[Breach]
    ended: Sequence[Breach]

    @property
    def lasting(self) -> list[Breach]:
        """Those that are not over."""
        return [one for one in self.all if one.ended_at is None]


def step(known: Sequence[Breach], checks: Sequence[Check], now: datetime) -> Step:
    """Begin the breaches that are new and end those that are over. Of what cannot be measured nothing changes."""
    bad = {check.name: check for check in checks if is_breach(check)}
    open_names = {check.name for check in checks if is_open(check)}
    lasting = {one.name for one in known if one.ended_at is None}
    over = {one.breach_id for one in known if one.ended_at is None and one.name not in bad.keys() | open_names}
    kept = [replace(one, ended_at=now) if one.breach_id in over else one for one in known]
    begun = [_begun(check, now) for name, check in bad.items() if name not in lasting]
    return Step([*kept, *begun], begun, [one for one in kept if one.breach_id in over])


def _begun(check: Check, now: datetime) -> Breach:
    return Breach(uuid4(), check.name, now, None, check.value, check.unit, check.threshold, check.detail)
