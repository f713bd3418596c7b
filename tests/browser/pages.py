"""Pages that are nothing but our tags: with HTMX alone, and with our script alone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

import django_stream

_PAGE = (
    "{{% load django_stream %}}<!doctype html><html lang=en><title>x</title>"
    '<script src="/script/" defer></script><main>'
    '{{% stream_feed "{feed}" owner=owner limit=5 {options} as page %}}'
    '{{% render_feed page label="News" poll=3600 %}}</main><p>{{% notification_badge live=True %}}</p>'
)
_OPTIONS = {"notifications": "mark_seen=True"}
SCRIPT = {"path": Path()}


def htmx() -> Path:
    """The script that django-htmx ships."""
    spec = find_spec("django_htmx")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static" / "django_htmx" / "htmx-2.min.js"


def ours() -> Path:
    return Path(django_stream.__file__).parent / "static" / "django_stream" / "feed.js"


def feed(request: HttpRequest, name: str, owner: int) -> HttpResponse:
    from django.contrib.auth.models import User

    request.user = User.objects.get(pk=owner)  # type: ignore[assignment]
    page = engines["django"].from_string(_PAGE.format(feed=name, options=_OPTIONS.get(name, "")))
    return HttpResponse(page.render({"owner": request.user}, request))


def script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SCRIPT["path"].read_text(), content_type="text/javascript")


urlpatterns = [path("script/", script), path("<str:name>/<int:owner>/", feed)]
