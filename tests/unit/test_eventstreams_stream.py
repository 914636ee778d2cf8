"""One connection of the stand-in, as its server sees it."""

import asyncio
import json
from pathlib import Path
from typing import Any

from local.eventstreams.faults import Fault, FaultPlan, Faults
from local.eventstreams.recording import Recording
from local.eventstreams.served import Served
from local.eventstreams.stream import EventStream
from producer.frames import Frame, StreamClosedError, frames


def served_log(folder: Path, count: int, rate: float = 0) -> Served:
    file = folder / "events.ndjson"
    file.write_text("".join(json.dumps({"meta": {"id": f"e{number}"}}) + "\n" for number in range(count)))
    return Served(Recording(file, retime=False), rate, folder / "eventstreams.json")


def connect(served: Served, plan: FaultPlan, start: int = 0) -> tuple[list[Frame], bool]:
    """The frames one client gets until all are served or the connection ends, and whether it ended in good order."""
    body, ended = b"", False

    async def talk() -> None:
        all_served = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await all_served.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal body, ended
            body += message.get("body", b"")
            ended = message.get("more_body") is False
            if b'"e%d"' % (served.source.total - 1) in body:
                all_served.set()

        await asyncio.wait_for(EventStream(served, plan, start)({}, receive, send), 30)

    asyncio.run(talk())
    assert body.startswith(b":ok\n\n")
    got: list[Frame] = []
    try:
        got.extend(frames([body]))
    except StreamClosedError:
        return got, ended
    raise AssertionError("frames end by an error only")


def ids(got: list[Frame]) -> list[str]:
    return [json.loads(frame.data)["meta"]["id"] for frame in got]


def test_a_client_gets_every_entry_in_order_from_where_it_starts(tmp_path: Path) -> None:
    served = served_log(tmp_path, 200)
    got, _ = connect(served, FaultPlan(Faults()))
    assert ids(got) == [f"e{number}" for number in range(200)]
    assert served.next == 200
    got, _ = connect(served, FaultPlan(Faults()), start=150)
    assert ids(got) == [f"e{number}" for number in range(150, 200)]


def test_an_entry_is_not_served_before_it_has_happened(tmp_path: Path) -> None:
    served = served_log(tmp_path, 4, rate=100)
    got, _ = connect(served, FaultPlan(Faults()))
    assert [json.loads(frame.id)[0]["timestamp"] - served.clock().epoch_ms for frame in got] == [0, 10, 20, 30]


def test_a_cut_leaves_half_a_frame_and_the_entry_unserved(tmp_path: Path) -> None:
    served, plan = served_log(tmp_path, 10), FaultPlan(Faults(cut_every=10))
    got, ended = connect(served, plan)
    assert (len(got), served.next, ended) == (served.next, len(got), False)
    assert len(got) < 10
    rest, _ = connect(served, plan, start=served.next)
    assert ids(got + rest) == [f"e{number}" for number in range(10)]


def test_a_disconnect_ends_in_good_order(tmp_path: Path) -> None:
    served, plan = served_log(tmp_path, 10), FaultPlan(Faults(disconnect_every=10))
    got, ended = connect(served, plan)
    assert ended
    assert plan.counts[Fault.DISCONNECT] == 1
    rest, _ = connect(served, plan, start=len(got))
    assert ids(got + rest) == [f"e{number}" for number in range(10)]


def test_malformed_frames_and_stalls_come_in_between_and_nothing_is_lost(tmp_path: Path) -> None:
    served, plan = served_log(tmp_path, 30), FaultPlan(Faults(malformed_every=10, stall_every=10, stall_s=0.01))
    got, _ = connect(served, plan)
    events = [frame for frame in got if frame.data.endswith(b"}")]
    assert len(got) - len(events) == plan.counts[Fault.MALFORMED] == plan.counts[Fault.STALL] == 3
    assert ids(events) == [f"e{number}" for number in range(30)]
