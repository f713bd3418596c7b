"""Cursor paging over a feed, in the envelope of DRF's own paginators."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from django_stream.feeds.paging import FeedReader, Page
from django_stream.protocol import limits
from django_stream.protocol.suggestions import did_you_mean, similar_names

_PARAMETERS = ("limit", "cursor")


def read_page(reader: FeedReader, request: Request) -> Page:
    """The page that `limit` and `cursor` of the query ask for; a bad limit is a 400 that names it."""
    _refuse_misspelt(request)
    text = request.query_params.get("limit", str(limits.PAGE_DEFAULT))
    if len(text) > 3 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= limits.PAGE_MAX:
        raise ValidationError({"limit": [f"Must be a number from 1 to {limits.PAGE_MAX}."]})
    return reader.page(limit=int(text), cursor=request.query_params.get("cursor"))


def _refuse_misspelt(request: Request) -> None:
    """Other names may be for a subclass, or for a cache: only one that is nearly ours is a mistake."""
    others = [name for name in request.query_params if name not in _PARAMETERS]
    if wrong := [name for name in others if similar_names(name, _PARAMETERS)]:
        raise ValidationError({name: [f"Unknown. {did_you_mean(name, _PARAMETERS)}"] for name in wrong})


def envelope(page: Page, results: list[Any], request: Request) -> dict[str, Any]:
    url = request.build_absolute_uri()
    body: dict[str, Any] = {
        "next": replace_query_param(url, "cursor", page.next) if page.next else None,
        "results": results,
    }
    if page.unseen is not None:
        body |= {"unseen": page.unseen, "unread": page.unread}
    return body
