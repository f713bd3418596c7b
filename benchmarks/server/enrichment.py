"""Time enriched pages of 25 with counts, own and recent reactions against the plain page.

On the full page every activity has more reactions of two kinds than are told, one of them very
many, and the reader's own of both. On the usual page every activity has three of one kind and one
of the other, and a few are the reader's. Both are read through the dispatcher, as in the process,
and through the whole WSGI application. Run:
`DATABASE_URL=... python -m benchmarks.server.enrichment [--popular 200000]`.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import django

READER = "7"
FLAGS = {
    "withRecentReactions": "true",
    "withOwnReactions": "true",
    "withReactionCounts": "true",
    "user_id": READER,
}
FEED = "feed/timeline/0/"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--popular", type=int, default=200_000, help="reactions of the most popular activity")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    return compare(options.popular)


def compare(popular: int) -> int:
    from benchmarks.server.measuring import medians, ratio

    end = _prepared(popular)
    pages = {"full": FLAGS, "usual": FLAGS | {"id_lt": end}}
    told = read(f"enrich/{FEED}", **FLAGS)["results"]
    assert told[0]["reaction_counts"]["like"] == popular
    assert len(told[0]["latest_reactions"]["like"]) == 5
    assert told[0]["own_reactions"]["like"][0]["user_id"] == READER
    assert told[0]["actor"]["data"]["name"]
    for name, query in pages.items():
        print(f"  {name:<8} {_size(**query)}")

    met = []
    for way, get in (("in the process", read), ("through WSGI", _wsgi())):
        print(way)
        times = medians(_calls(get, pages), rounds=8, per_round=5)
        for name, seconds in times.items():
            print(f"  {name:<52} {seconds * 1e3:6.2f} ms")
        met += [ratio(f"{name} over plain", times[name] / times["plain"], 3.0) for name in pages]
    for limit in (5, 25, 100):
        print(f"  {limit:>3} activities: {_queries(limit)} queries")
    met.append(_queries(5) == _queries(100))
    return 0 if all(met) else 1


def _calls(get: Callable[..., object], pages: dict[str, dict[str, str]]) -> dict[str, Callable[[], object]]:
    enriched = partial(get, f"enrich/{FEED}")
    return {
        "plain": partial(get, FEED),
        **{name: partial(enriched, **query) for name, query in pages.items()},
        "references alone": enriched,
        "counts alone": partial(enriched, withReactionCounts="true"),
    }


def read(path: str, **query: str) -> dict[str, Any]:
    """The answer of the dispatcher: what an embedded site gets."""
    from django_stream.protocol.messages import ApiRequest
    from django_stream.server.conf import server_settings
    from django_stream.server.dispatch import handle

    answer = handle(ApiRequest("GET", path, server_settings.own_key, _token(), query=query))
    assert answer.status == 200, answer.body
    return answer.body


def _wsgi() -> Callable[..., bytes]:
    """Likewise as JSON text, with all that Django does for a request but the socket."""
    from django.core.wsgi import get_wsgi_application
    from django.test import RequestFactory

    from django_stream.server.conf import server_settings

    application, factory = get_wsgi_application(), RequestFactory()

    @cache
    def environ(path: str, **query: str) -> dict[str, Any]:
        data = {"api_key": server_settings.own_key, **query}
        headers = {"Authorization": _token(), "Stream-Auth-Type": "jwt"}
        return factory.get(f"/api/v1.0/{path}", data, headers=headers).environ

    def get(path: str, **query: str) -> bytes:
        response = application(environ(path, **query).copy(), lambda *head: None)
        text = b"".join(response)
        response.close()
        assert response.status_code == 200, text
        return text

    return get


@cache
def _token() -> str:
    import jwt

    from django_stream.server.conf import server_settings

    claims = {"resource": "*", "action": "*", "feed_id": "*"}
    return jwt.encode(claims, server_settings.own_secret, algorithm="HS256")


def _prepared(popular: int) -> str:
    """Fill the database; where the full page ends and the usual one begins."""
    from benchmarks.server import data
    from django_stream.server.models import StreamUser

    data.prepare(1000)
    followed = data.feeds("user", 10)
    (timeline,) = data.feeds("timeline", 1)
    data.timeline(timeline, 1000, followed)
    users = [
        StreamUser(application_id=data.APP, user_id=str(number), data={"name": f"User {number}"})
        for number in range(1000)
    ]
    StreamUser.objects.bulk_create(users)
    full = [item["id"] for item in read(FEED, limit="100")["results"]]
    usual = [item["id"] for item in read(FEED, limit="25", id_lt=full[-1])["results"]]
    for number, activity in enumerate(full):
        react_in_bulk(uuid.UUID(activity), popular if number == 0 else 200)
    for number, activity in enumerate(usual):
        react_in_bulk(uuid.UUID(activity), 3, 1, first_user=number)
    data.analyze()
    return str(full[-1])


def react_in_bulk(activity: uuid.UUID, likes: int, comments: int = 20, *, first_user: int = 0) -> None:
    """Reactions of two kinds, each by one user after the other."""
    from django.utils import timezone

    from benchmarks.server.data import APP
    from django_stream.server.models import Reaction, ReactionCount

    now = timezone.now()
    for kind, many in (("like", likes), ("comment", comments)):
        rows = (
            Reaction(
                application_id=APP,
                reaction_id=f"{activity}-{kind}-{number}",
                kind=kind,
                activity=activity,
                user_id=str((first_user + number) % 1000),
                data={"text": "Good"},
                created_at=now,
                updated_at=now,
            )
            for number in range(many)
        )
        Reaction.objects.bulk_create(list(rows), batch_size=5000)
        ReactionCount.objects.create(application_id=APP, activity=activity, kind=kind, count=many)


def _size(**query: str) -> str:
    import orjson

    body = read(f"enrich/{FEED}", **query)
    told = {
        name: sum(len(rows) for activity in body["results"] for rows in activity[name].values())
        for name in ("latest_reactions", "own_reactions")
    }
    kilobytes = len(orjson.dumps(body)) / 1000
    return f"{told['latest_reactions']} recent and {told['own_reactions']} own reactions, {kilobytes:.0f} KB"


def _queries(limit: int) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        read(f"enrich/{FEED}", limit=str(limit), **FLAGS)
    return len(captured)


if __name__ == "__main__":
    sys.exit(main())
