"""Pages of feeds: which window a request asks for, and where the next page is."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace

from django_stream.protocol import limits
from django_stream.protocol.errors import ApiError
from django_stream.server.activity_input import key_or_none
from django_stream.server.requests import Call
from django_stream.server.timelines import AsOf, Window

_SESSION = re.compile(r"(?P<newest>[0-9a-f]{32})(?:-(?P<moment>[0-9]{1,17}))?", re.ASCII)
_ORDERS = ("newest", "oldest")
BOUNDS = ("id_lt", "id_lte", "id_gt", "id_gte")
# What the next page is not asked again: what was done once, and its place. The bound at the other end stays.
_DONE = frozenset({"offset", "limit", "mark_read", "mark_seen", "mark_unread", "refresh", "session"})
_DOWNWARDS = _DONE | {"id_lt", "id_lte"}
_UPWARDS = _DONE | {"id_gt", "id_gte"}


def conflicting(detail: str) -> ApiError:
    return ApiError.named("InvalidPaginationException", detail)


def window_of(call: Call) -> Window:
    """The part of a feed that the request asks for."""
    parameters = call.parameters
    bounds = {name: _bound(call, name) for name in BOUNDS if parameters.text(name)}
    for strict, loose in (("id_lt", "id_lte"), ("id_gt", "id_gte")):
        if strict in bounds and loose in bounds:
            raise conflicting(f"{strict} and {loose} exclude each other")
    upper = bounds.get("id_lt") or bounds.get("id_lte")
    lower = bounds.get("id_gt") or bounds.get("id_gte")
    if upper and lower and upper < lower:
        raise conflicting("the id bounds exclude each other")
    return Window(
        limit=parameters.number("limit", limits.PAGE_DEFAULT, most=limits.PAGE_MAX),
        offset=parameters.number("offset", 0, most=limits.OFFSET_MAX),
        below=bounds.get("id_lt"),
        up_to=bounds.get("id_lte"),
        above=bounds.get("id_gt"),
        from_on=bounds.get("id_gte"),
        oldest_first=_is_oldest_first(call),
    )


def _is_oldest_first(call: Call) -> bool:
    order = call.parameters.text("order") or "newest"
    if order not in _ORDERS:
        raise conflicting(f"order must be one of {', '.join(_ORDERS)}, not {order!r}")
    return order == "oldest"


def refuse_order(call: Call) -> None:
    """Ranked and grouped feeds have an order of their own."""
    if _is_oldest_first(call):
        raise conflicting("only a flat feed without ranking is read from its oldest entry on")


def _bound(call: Call, name: str) -> uuid.UUID:
    # On grouped feeds the id of a group is its newest activity's, on notification feeds with `.name` behind.
    key = key_or_none(call.parameters.text(name).partition(".")[0])
    if key is None:
        raise conflicting(f"{name} must be the id of an entry, not {call.parameters.text(name)!r}")
    return key


def next_by_id(call: Call, last_id: str, limit: int, as_of: AsOf | None = None) -> str:
    """The address of the page after `last_id`; of a grouped feed, as it was when reading began."""
    if call.parameters.text("order") == "oldest":
        return call.following({"id_gt": last_id, "limit": str(limit)}, _UPWARDS)
    session = {} if as_of is None else {"session": f"{as_of.newest.hex}-{as_of.moment}"}
    return call.following({"id_lt": last_id, "limit": str(limit), **session}, _DOWNWARDS)


def grouped_window_of(call: Call) -> Window:
    """Likewise, of a grouped feed: a session says since when it is read."""
    window, text = window_of(call), call.parameters.text("session")
    if not text:
        return window
    match = _SESSION.fullmatch(text)
    if match is None:
        raise conflicting("session must be the one that this server gave out in `next`")
    newest, moment = uuid.UUID(match["newest"]), match["moment"]
    return replace(window, as_of=AsOf(newest, int(moment)) if moment else AsOf(newest))


def next_by_offset(call: Call, offset: int, limit: int, session: str) -> str:
    """The address of the page that begins at `offset` in the same session of a ranked feed."""
    place = {"offset": str(offset), "limit": str(limit), "session": session}
    return call.following(place, _DOWNWARDS)
