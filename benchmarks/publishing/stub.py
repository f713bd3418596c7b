"""An API that agrees with everything after a while."""

from __future__ import annotations

import time

from django_stream.protocol.messages import ApiRequest, ApiResponse


class Stub:
    """Counts what it is told, and sleeps before it answers."""

    latency = 0.0
    activities = 0

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        time.sleep(Stub.latency)
        sent = (request.body or {}).get("activities", [])
        Stub.activities += len(sent)
        return ApiResponse(201, {"activities": sent, "duration": "0ms"})

    def close(self) -> None:
        """Nothing is open."""
