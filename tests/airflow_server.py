"""A stand-in for Airflow's REST interface and for the readiness of the rooms: as much of both as the API asks for."""

import json
from typing import Any
from urllib.parse import parse_qs

USER, PASSWORD = "admin", "letters and digits"

RUN = {
    "dag_id": "check_freshness",
    "dag_run_id": "manual__2026-11-23T12:00:00+00:00",
    "state": "running",
    "run_type": "manual",
    "start_date": "2026-11-23T12:00:01Z",
    "end_date": None,
}


class AirflowServer:
    """An ASGI application. `unready` are the rooms that answer 503; a token is good until `expire`."""

    def __init__(self) -> None:
        self.unready: set[str] = set()
        self.logins = 0
        self.health = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor")}
        self.health["scheduler"]["latest_scheduler_heartbeat"] = "2026-11-23T12:00:00+00:00"
        self._expired = 0

    def expire(self) -> None:
        """No token of before is taken any more."""
        self._expired = self.logins

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = (await receive()).get("body", b"")
        status, answer = self._answer(scope, body)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer.encode()})

    def _answer(self, scope: Any, body: bytes) -> tuple[int, str]:
        path = scope["path"]
        if path.endswith("/readyz"):
            return (503 if path.split("/")[1] in self.unready else 200), "ok\n"
        if path == "/api/v2/monitor/health":
            return 200, json.dumps(self.health)
        if path == "/auth/token":
            return self._token(json.loads(body))
        if path == "/api/v2/dags":
            return 200, json.dumps({"dags": [{"dag_id": RUN["dag_id"]}]})
        return self._runs(dict(scope["headers"]).get(b"authorization", b"").decode(), parse_qs(scope["query_string"]))

    def _token(self, who: Any) -> tuple[int, str]:
        if who != {"username": USER, "password": PASSWORD}:
            return 401, json.dumps({"detail": "Invalid credentials"})
        self.logins += 1
        return 201, json.dumps({"access_token": f"token-{self.logins}"})

    def _runs(self, authorization: str, asked: Any) -> tuple[int, str]:
        if authorization != f"Bearer token-{self.logins}" or self.logins == self._expired:
            return 401, json.dumps({"detail": "Not authenticated"})
        if b"state" in asked:
            ended = {**RUN, "state": asked[b"state"][0].decode(), "end_date": "2026-11-23T12:00:05Z"}
            return 200, json.dumps({"dag_runs": [ended], "total_entries": 3})
        assert asked[b"order_by"] == [b"-run_after"]
        return 200, json.dumps({"dag_runs": [RUN] * int(asked[b"limit"][0])})
