"""`{% load django_stream %}`: tags that show feeds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django import template
from django.conf import settings
from django.http import QueryDict
from django.template import Context
from django.template.loader import get_template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from django_stream.activities.follow_rows import state_of
from django_stream.activities.ids import wire_id
from django_stream.feeds.background import without_marks
from django_stream.feeds.enrichment import EnrichedActivity
from django_stream.feeds.follow_lists import is_following
from django_stream.feeds.manager import feed_manager
from django_stream.feeds.paging import Page
from django_stream.feeds.readers import reader_named, unseen
from django_stream.protocol.suggestions import did_you_mean
from django_stream.protocol.wire import is_group
from django_stream.rendering.live import count_address, live_data
from django_stream.rendering.templates import MissingDataException, render

register = template.Library()
logger = logging.getLogger("django_stream.rendering")

_MISSING_DATA = ("silent", "render", "raise")
_POLICIES = {"ignore": "silent", "warn": "silent", "fail": "raise"}


@register.simple_tag(takes_context=True)
def render_activity(
    context: Context,
    activity: Any,
    template_prefix: str = "",
    missing_data: str = "silent",
    missing_data_policy: str | None = None,
) -> SafeString:
    """Render one activity or group by the template of its verb.

    `missing_data` says what happens to an activity whose rows are gone: "silent" renders nothing when
    actor or object is missing, "render" renders what is left, "raise" raises ValueError for any missing
    field. A variable that the page does not have renders nothing, as everywhere in templates.
    `missing_data_policy` is that of stream-django: "ignore", "warn" or "fail".
    """
    if missing_data_policy is not None:
        missing_data = _of_stream_django(missing_data_policy, activity)
    if missing_data not in _MISSING_DATA:
        hint = did_you_mean(str(missing_data), _MISSING_DATA)
        raise ValueError(f"{{% render_activity %}} has no missing_data={missing_data!r}. {hint}")
    if activity is None or activity == "":
        return _nothing("a variable that this page does not have")
    if not isinstance(activity, Mapping):
        raise TypeError(
            "{% render_activity %} shows an activity or a group of a feed's page, "
            f"and this is a value of type {type(activity).__name__}"
        )
    if isinstance(activity, EnrichedActivity):
        if activity.hidden:
            return _nothing("an activity that its viewer may not see")
        if missing_data == "raise" and not activity.enriched:
            raise MissingDataException(
                f"activity {activity.get('id')} was not fully enriched: {activity.missing}"
            )
        if missing_data != "render" and not activity.can_be_shown:
            return _nothing("an activity whose rows are gone")
    if is_group(activity):
        seen = [one for one in activity["activities"] if not getattr(one, "hidden", False)]
        activity = {**activity, "activities": seen}
        if not seen:
            return _nothing("a group of which its viewer may see nothing")
    # Rendered by a template with autoescape, in a copy of the caller's context.
    return mark_safe(render(activity, _flat(context), template_prefix))  # noqa: S308


def _of_stream_django(policy: str, activity: Any) -> str:
    if policy not in _POLICIES:
        hint = did_you_mean(policy, sorted(_POLICIES))
        raise ValueError(f"{{% render_activity %}} has no missing_data_policy={policy!r}. {hint}")
    if policy == "warn" and isinstance(activity, EnrichedActivity) and not activity.enriched:
        logger.warning("activity %s was not fully enriched: %s", activity.get("id"), activity.missing)
    return _POLICIES[policy]


def _nothing(reason: str) -> SafeString:
    """No HTML; while DEBUG is on, a comment that says why."""
    return format_html("<!-- render_activity: {} -->", reason) if settings.DEBUG else SafeString()


def _flat(context: Context) -> dict[str, Any]:
    return {str(name): value for name, value in context.flatten().items()}


@register.filter
def author_of(activity: Any) -> Any:
    """The actor of an activity, or of the newest one of a group."""
    if not isinstance(activity, Mapping):
        return ""  # a filter never fails on what a page does not have
    return (activity["activities"][0] if is_group(activity) else activity)["actor"]


@register.simple_tag(takes_context=True)
def stream_feed(
    context: Context,
    name: str,
    owner: Any = None,
    limit: int = 25,
    parameter: str = "cursor",
    **options: Any,
) -> Page:
    """A page of a feed: `{% stream_feed "timeline" as page %}`.

    `name` is "timeline" (or another one of STREAM_NEWS_FEEDS), "profile", "notifications", "everything",
    or the id of a feed such as "news:all". `owner` is whose it is, by default who is signed in; a visitor has
    an empty page. The page is that which the address names by `parameter`, as its viewer may see it.
    """
    viewer = _viewer(context)
    reader = reader_named(name, owner or viewer, viewer)
    if reader is None:
        return _EMPTY
    options = without_marks(context.get("request"), options)
    return reader.page(limit=limit, cursor=_cursor(context, parameter), **options)


@register.simple_tag(takes_context=True)
def render_feed(
    context: Context,
    page: Any,
    label: str = "",
    name: str = "feed",
    parameter: str = "cursor",
    template_prefix: str = "",
    poll: int | str = 0,
    live: bool | str = False,
    empty: str = "",
    template: str = "django_stream/feed.html",
) -> SafeString:
    """A page with the link to the next one: a list that screen readers know as a feed.

    `label` is what they call it; `name` and `parameter` (the same as in `stream_feed`) tell several feeds on
    one page apart. With `poll`, the script `django_stream/feed.js` looks every so many seconds for what is
    new. With `live=True`, it is told at once where the site serves App Streams, and looks every minute (or
    `poll` seconds) where it does not; `live` may be the address of another server's `/faye`, too. `empty`
    names a template for what stands there until the first entry comes: an empty page hears of it, too.
    """
    is_first = not _cursor(context, parameter)
    data = live_data(context.get("request"), getattr(page, "feed_id", None), live)
    values = {
        "page": page,
        "label": label or gettext("Feed"),
        "name": name,
        "template_prefix": template_prefix,
        "poll": (poll or (_LIVE_POLL if live else 0)) if is_first else 0,
        "live": data if is_first else "",
        "is_first": is_first,
        "next_url": _next_url(context, page, parameter),
        "empty": empty,
    }
    return _rendered(context, template, values)


@register.simple_tag(takes_context=True)
def notification_badge(
    context: Context, template: str = "django_stream/badge.html", live: bool | str = False
) -> SafeString:
    """How many notifications wait for who is signed in; nothing for visitors, or where none waits.

    With `live`, as of `render_feed`, the script keeps the number up to date while the page is open. On a page
    without live feeds it asks for the number alone, where the site includes `django_stream.urls` or
    `django_stream.api.urls`, and for the page when that has changed.
    """
    viewer = _viewer(context)
    count = 0 if viewer is None else unseen(viewer)
    badge = _rendered(context, template, {"count": count})
    if not live or viewer is None:
        return badge
    data = live_data(context.get("request"), str(feed_manager.get_notification_feed(viewer).id), live)
    source = (
        format_html(' data-stream-source="{}" data-stream-count="{}"', address, count)
        if (address := count_address())
        else ""
    )
    part = '<span data-stream-part="badge" data-stream-poll="{}" data-stream-live="{}"{}>{}</span>'
    return format_html(part, _LIVE_POLL, data, source, badge)


@register.simple_tag(name="is_following", takes_context=True)
def is_following_tag(context: Context, person: Any, by: Any = None) -> bool:
    """Whether who is signed in (or `by`) follows somebody: `{% is_following person as followed %}`."""
    follower = by or _viewer(context)
    return bool(follower is not None and is_following(follower, person))


@register.simple_tag(takes_context=True)
def follow_button(
    context: Context,
    person: Any,
    action: str = "",
    followed: bool | None = None,
    requested: bool = False,
    template: str = "django_stream/follow_button.html",
) -> SafeString:
    """A form that posts to `action`, with `stop` where the person is followed already; nothing for oneself.

    Without `action` it posts to our own view, where the site includes `django_stream.urls`; `person` may be
    a row of any model that STREAM_FOLLOWABLE names. It then asks the site's own rows, where there are such.
    Give `followed` where a page has many such buttons and has asked for all at once by `feeds.is_following`,
    and `requested` where a follow waits to be accepted: the button takes it back, by `stop`, too.
    """
    if person == (viewer := _viewer(context)):
        return SafeString()
    if followed is None:
        # Our own view writes rows, which say it before a worker has told the feeds.
        rows_say = None if action or viewer is None else state_of(viewer, person)
        followed, waits = rows_say or (viewer is not None and is_following(viewer, person), False)
        requested = requested or waits
    request = context.get("request")
    action = action or reverse("django_stream:follow", args=[person._meta.label, wire_id(person)])
    values = {"person": person, "action": action, "followed": followed, "requested": requested}
    return _rendered(context, template, values | {"next": request.get_full_path() if request else ""})


@register.simple_tag(takes_context=True)
def reactions(context: Context, activity: Any, template: str = "django_stream/reactions.html") -> SafeString:
    """How many reactions of each kind an activity has, and the texts of the newest, as its page read them."""
    found = activity if isinstance(activity, Mapping) else {}
    lists = found.get("latest_reactions") or {}
    latest = [one for some in lists.values() for one in some if (one.get("data") or {}).get("text")]
    counts = sorted((found.get("reaction_counts") or {}).items())
    values = {"activity": found, "counts": [pair for pair in counts if pair[1]], "latest": latest}
    return _rendered(context, template, values)


_EMPTY = Page([], None)
# Where nothing tells of news, or that ends, the script looks every so many seconds.
_LIVE_POLL = 60


def _viewer(context: Context) -> Any:
    """Who is signed in, None for visitors and where no request is known."""
    user = getattr(context.get("request"), "user", None) or context.get("user")
    return user if user is not None and user.is_authenticated else None


def _cursor(context: Context, parameter: str) -> str | None:
    request = context.get("request")
    return (request.GET.get(parameter) or None) if request else None


def _next_url(context: Context, page: Any, parameter: str) -> str:
    if not (cursor := getattr(page, "next", None)):
        return ""
    request = context.get("request")
    query = request.GET.copy() if request else QueryDict(mutable=True)
    query[parameter] = cursor
    return f"?{query.urlencode()}"


def _rendered(context: Context, template: str, values: dict[str, Any]) -> SafeString:
    html = get_template(template).render(_flat(context) | values, request=context.get("request"))
    return mark_safe(html)  # noqa: S308
