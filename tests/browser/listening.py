"""A page that listens, and a Bayeux server that answers as a test says: what real ones do only at times."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from threading import Event
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from tests.browser import pages

_PAGE = (
    "{% load django_stream %}<!doctype html><html lang=en data-stream-pause='{{ pause }}'><title>x</title>"
    '<script src="/script/" defer></script><main>{% if with_feed %}'
    '{% stream_feed "notifications" mark_seen=True as page %}'
    '{% render_feed page label="News" live="/faye/" %}'
    '{% if twice %}{% render_feed page label="The same" live="/faye/" %}{% endif %}'
    '{% endif %}</main><p>{% notification_badge live="/faye/" %}</p>'
    '{% if twice %}<p>{% notification_badge live="/faye/" %}</p>{% endif %}'
)
Answer = dict[str, Any]
ANSWERS: dict[str, Callable[[], Answer]] = {
    "/meta/handshake": lambda: {"successful": True, "clientId": "c"},
    "/meta/subscribe": lambda: {"successful": True},
    "/meta/connect": lambda: {"successful": True},
    "/meta/disconnect": lambda: {"successful": True},
}


class World:
    """What the page asked for, when, and what the next answers are."""

    def __init__(self) -> None:
        self.pause, self.with_feed, self.is_read_ahead = "0 0 0 30", True, False
        self.asked: dict[str, list[float]] = defaultdict(list)
        self.next: dict[str, list[Answer]] = defaultdict(list)
        self.twice = False
        self.meanwhile: Callable[[], object] = lambda: None
        """Happens after the page was made, and before it listens."""
        self.news = 0
        self.stop = Event()

    def note(self, what: str) -> None:
        self.asked[what].append(time.monotonic())

    def count(self, what: str) -> int:
        return len(self.asked[what])


WORLD = World()


def page(request: HttpRequest) -> HttpResponse:
    world = WORLD
    background = "X-Stream-Background" in request.headers
    world.note("look" if background else "ahead" if world.is_read_ahead else "page")
    if world.is_read_ahead:
        request.META["HTTP_SEC_PURPOSE"] = "prefetch;prerender"
        del request.headers
        world.is_read_ahead = False
    template = engines["django"].from_string(_PAGE)
    values = {"pause": world.pause, "with_feed": world.with_feed, "twice": world.twice}
    return HttpResponse(template.render(values, request))


@csrf_exempt
def faye(request: HttpRequest) -> HttpResponse:
    world = WORLD
    (message,) = json.loads(request.body)
    channel = message["channel"]
    world.note(channel)
    answer = world.next[channel].pop(0) if world.next[channel] else ANSWERS[channel]()
    if status := answer.get("status"):
        return HttpResponse(status=status)
    answers = [{"channel": channel, **answer}]
    if channel == "/meta/handshake":
        world.meanwhile()
    if channel == "/meta/connect" and answer.get("successful"):
        if world.news:
            world.news -= 1
            answers.append({"channel": "/site-1-feed-x", "data": {}})
        elif not answer.get("dead"):
            world.stop.wait(0.2)
    if answer.get("dead"):
        world.stop.wait(60)
    return JsonResponse(answers, safe=False)


urlpatterns = [
    path("script/", pages.script),
    path("page/", page),
    path("empty/", lambda request: HttpResponse("<!doctype html><title>y</title>")),
    path("faye/", faye),
    path("feeds/", include("django_stream.api.urls")),
    path("stream/", include("django_stream.urls")),
]
