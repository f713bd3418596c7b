"""Requests that no person looks at: a script that asks for what is new, a browser that reads ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

HEADER = "X-Stream-Background"
"""Sent by `feed.js`; give it to other scripts that look for news, such as by `hx-headers` of HTMX."""


def in_background(request: HttpRequest) -> bool:
    """Whether a request is made without a person who looks at the answer, so that nothing counts as seen.

    For pages of your own: `page(mark_seen=not feeds.in_background(request))`.
    """
    return HEADER in request.headers or request.headers.get("Sec-Purpose", "").startswith("prefetch")


def without_marks(request: HttpRequest | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a page, without marks where nobody looks at it."""
    if request is None or not in_background(request):
        return dict(options)
    return {name: value for name, value in options.items() if not name.startswith("mark_")}
