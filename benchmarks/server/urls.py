"""The API, and beside it the view that a person would write by hand."""

from __future__ import annotations

import jwt
import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from django_stream.protocol.feed_ids import FeedID
from django_stream.server.conf import server_settings
from django_stream.server.timelines import Window, flat_page


def by_hand(request: HttpRequest) -> HttpResponse:
    """The same statement and token, and an answer as short as it can be."""
    jwt.decode(request.headers["Authorization"], server_settings.own_secret, algorithms=["HS256"])
    rows = flat_page.page(1, FeedID("timeline", "0"), Window(26))
    results = [
        {
            **row.extra,
            "id": row.activity_id,
            "actor": row.actor,
            "verb": row.verb,
            "object": row.object,
            "target": row.target,
            "foreign_id": row.foreign_id,
            "origin": row.origin,
            "time": row.time.isoformat(),
        }
        for row in rows
    ]
    return HttpResponse(orjson.dumps({"results": results}), content_type="application/json")


urlpatterns = [path("api/v1.0/", include("django_stream.server.urls")), path("hand/", by_hand)]
