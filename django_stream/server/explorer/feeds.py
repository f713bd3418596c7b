"""The feed explorer: any feed, its followers, and why each item is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from django_stream.server.activity_rows import ActivityRow
from django_stream.server.explorer.filters import among
from django_stream.server.feed_groups import every_slug
from django_stream.server.maintenance import rebuild
from django_stream.server.models import Feed, Placement
from django_stream.server.reads import follows
from django_stream.server.timelines import Window, timelines

SHOWN = 50


if TYPE_CHECKING:
    _FeedBase = admin.ModelAdmin[Feed]
else:  # generic for the type checker only
    _FeedBase = admin.ModelAdmin


@dataclass(frozen=True, slots=True)
class Explained:
    """An item of a feed and the reasons why it is there."""

    activity: ActivityRow
    reasons: list[str]


@admin.register(Feed)
class FeedAdmin(_FeedBase):
    list_display = ("__str__", "application", "created_at")
    list_filter = ("application", among("slug", every_slug))
    list_select_related = ("application",)
    search_fields = ("user_id",)
    show_full_result_count = False
    actions = ("rebuild",)
    change_form_template = "admin/django_stream_server/feed/explore.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Feed | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Feed | None = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        feed = self.get_object(request, object_id)
        found = {} if feed is None else explored(feed)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **found})

    def has_rebuild_permission(self, request: HttpRequest) -> bool:
        """Nobody edits feeds here; whoever may change them may have them computed anew."""
        return request.user.has_perm("django_stream_server.change_feed")

    @admin.action(description="Rebuild from the record", permissions=["rebuild"])
    def rebuild(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        for feed in queryset:
            rebuild(feed)
        self.message_user(request, f"{len(queryset)} feeds were rebuilt.", messages.SUCCESS)


def explored(feed: Feed) -> Mapping[str, Any]:
    """What the explorer shows of a feed."""
    names = (feed.application_id, feed.feed_id)
    rows = [row for row in timelines().page(*names, Window(SHOWN)) if row.actor is not None]
    return {
        "items": [Explained(row, reasons) for row, reasons in zip(rows, _reasons(feed, rows), strict=True)],
        "followers": follows.followers(*names, (), SHOWN, 0),
        "followers_count": follows.count(feed.application_id, "target", feed.feed_id, ()),
        "follows": follows.follows(*names, (), SHOWN, 0),
        "follows_count": follows.count(feed.application_id, "source", feed.feed_id, ()),
    }


def _reasons(feed: Feed, rows: Sequence[ActivityRow]) -> list[list[str]]:
    origins = {row.key: timelines().origins(feed.pk, row.key) for row in rows}
    placements = {
        placement.key: placement for placement in Placement.objects.filter(feed=feed, key__in=list(origins))
    }
    followed = {
        other.pk: other
        for other in Feed.objects.filter(pk__in={origin for some in origins.values() for origin in some})
    }
    return [
        [
            _placed(placements.get(row.key)) if origin == 0 else f"follows {followed.get(origin, origin)}"
            for origin in origins[row.key]
        ]
        for row in rows
    ]


def _placed(placement: Placement | None) -> str:
    if placement is None:
        return "no record: rebuild this feed"
    if placement.targeted:
        return "named in its 'to' list"
    return "posted here" if placement.seq is not None else "added to many feeds"
