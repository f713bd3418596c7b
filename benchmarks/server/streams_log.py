"""What the log of streams costs those who write, and how quickly filters and replays are.

Run: `DATABASE_URL=... python -m benchmarks.server.streams_log [writes] [filters] [replay]`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

from benchmarks.server.measuring import medians, ratio

ACTIVITY = {"actor": "SU:ann", "verb": "post", "object": "post:1", "text": "x" * 500}


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.streams_settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    chosen = sys.argv[1:] or ["writes", "filters", "replay"]
    return max([{"writes": writes, "filters": filters, "replay": replay}[name]() for name in chosen])


def writes() -> int:
    """An activity posted without the log, with it and nobody asking, and with a reader of everything."""
    from django.test import override_settings

    from django_stream.server.conf import server_settings
    from django_stream.server.events import interest
    from django_stream.server.object_types import KINDS
    from tests.contract.calling import Api

    api, numbers = Api(), iter(range(10**9))

    def post(*, streams: bool, asked: bool) -> Callable[[], None]:
        def call() -> None:
            number = next(numbers)
            # Of one kind at a time, as a process that has looked remembers it.
            with override_settings(STREAM_SERVER_STREAMS=streams):
                interest.remembered[server_settings.own_app_id] = (
                    time.monotonic() + 3600,
                    frozenset(KINDS) if asked else frozenset(),
                )
                interest.anything[:] = [(time.monotonic() + 3600, asked)]
                api.post("user:ann", **{**ACTIVITY, "foreign_id": str(number)})

        return call

    calls = {
        "without the log": post(streams=False, asked=False),
        "nobody asks": post(streams=True, asked=False),
        "everything is asked for": post(streams=True, asked=True),
    }
    times = medians(calls, rounds=60, per_round=10)
    base = times["without the log"]
    for name, seconds in times.items():
        print(f"  {name:<26} {seconds * 1e6:6.0f} us  {100 * (seconds / base - 1):+.1f} %")
    fine = ratio("cost when nobody asks", times["nobody asks"] / base, 1.02)
    return 0 if ratio("cost with a reader", times["everything is asked for"] / base, 1.15) and fine else 1


def filters(count: int = 1000) -> int:
    """An event against many different filters."""
    from django_stream.server.streams.filters import parse
    from django_stream.server.streams.log import Logged
    from django_stream.server.streams.subscriptions import Routes, Subscription

    kinds: dict[str, Callable[[int], list[dict[str, Any]]]] = {
        "equals": lambda n: [
            clause("/data/verb", "equals", "post"),
            clause("/data/object", "equals", f"o{n}"),
        ],
        "one_of": lambda n: [clause("/data/actor", "one_of", [f"SU:{n}", f"SU:{n + 1}"])],
        "numbers": lambda n: [clause("/data/n", "ge", n * 1000), clause("/data/verb", "equals", "post")],
        "tags": lambda n: [clause("/data/tags/*/name", "equals", f"t{n}")],
        "substrings": lambda n: [clause("/data/text", "matches", f"word{n} ")],
    }
    data = {**ACTIVITY, "n": 5000, "tags": [{"name": "t7"}, {"name": "t8"}]}
    event = Logged(1, 1, "activity", "a", "create", False, json.dumps(data), 0)
    slowest = 0.0
    for name, made in kinds.items():
        every = [
            Subscription(n, 1, ("activity",), n, parse("include_all", made(n))) for n in range(1, count + 1)
        ]
        routes = Routes(every)
        seconds = medians({name: lambda routes=routes: list(routes.of(event))}, rounds=20, per_round=50)[name]
        passed = len(list(routes.of(event)))
        print(f"  {count} filters, {name:<10} {seconds * 1e6:6.1f} us an event, {passed} passed")
        slowest = max(slowest, seconds)
    return 0 if ratio("microseconds of the slowest kind", slowest * 1e6, 100) else 1


def clause(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"object_type": "activity", "field": field, "operator": operator, "value": value}


def replay(events: int = 1_000_000) -> int:
    """A whole log, read by one connection from its beginning."""
    from django.db import connection

    from benchmarks.server import data
    from django_stream.server.actions import streams
    from django_stream.server.conf import server_settings
    from django_stream.server.models import StreamEvent, StreamLog
    from django_stream.server.streams import hub
    from django_stream.server.streams.admission import Admission
    from django_stream.server.streams.subscriptions import Subscription

    fields = {"object_types": ["activity"], "key": None, "filter_id": None}
    stream = streams.create(server_settings.own_app_id, fields)
    text = json.dumps(ACTIVITY).replace("'", "")
    now = "now()" if connection.vendor == "postgresql" else "'2026-01-01 00:00:00'"
    false = "false" if connection.vendor == "postgresql" else "0"
    data.run(
        f"INSERT INTO {StreamEvent._meta.db_table} "
        "(position, application, kind, object_id, op, is_deleted, data, created_at) "
        f"SELECT n + 1, {stream.application_id}, 'activity', 'a' || n, 'create', {false}, '{text}', {now} "
        f"FROM {data.series(events)}"
    )
    StreamLog.objects.update_or_create(pk=1, defaults={"newest": events})

    async def read() -> float:
        started, count = time.perf_counter(), 0
        async for batch in hub.batches(Admission(Subscription.of(stream), stream.key, 0)):
            count += len(b"".join(frame.line for frame in batch)) > 0 and len(batch)
            if count >= events:
                return time.perf_counter() - started
        raise AssertionError

    rate = events / asyncio.run(read())
    print(f"  replay of {events:,} events: {rate:,.0f} a second")
    return 0 if ratio("events a second", rate, 20_000, at_least=True) else 1


if __name__ == "__main__":
    sys.exit(main())
