"""Admin: what is waiting and why, what was recorded, and actions that publish rows, or take them out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import unquote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_stream.admin_links import (
    Link,
    links_of_feeds,
    links_of_object,
    links_of_row,
    row_url,
    url_of_foreign_id,
)
from django_stream.client.exceptions import StreamApiException, TransportException
from django_stream.database.failures import or_else
from django_stream.models import OutboxEntry, Publication, RecordedActivity
from django_stream.operations.explain import explain_feed, explain_row, is_feed_id
from django_stream.operations.withdrawing import withdraw
from django_stream.publishing.backfill import republish
from django_stream.publishing.parking import retry_parked
from django_stream.publishing.publisher import publishers, publishers_of

__all__ = ["FeedsAdminMixin", "explain_in_feed", "publish_to_feeds", "remove_from_feeds"]

logger = logging.getLogger("django_stream.feeds")

# Each costs some calls of the API.
_EXPLAINED = 10
_LISTED = 25

# In the list; the entry's own page has all of it.
_REASON_LENGTH = 120

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.action(description=_("Publish to feeds"), permissions=["change"])
def publish_to_feeds(modeladmin: _ModelAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """Admin action for tracked models: look at the selected rows again and publish what they say now.

    For those who may change the rows.
    """
    if not publishers_of(queryset.model):
        modeladmin.message_user(request, _("This model is not tracked by django_stream."), messages.ERROR)
        return
    try:
        count = republish(queryset)
    except ImproperlyConfigured as error:
        modeladmin.message_user(request, str(error), messages.ERROR)
        return
    message = (
        ngettext("%d row is on its way to the feeds.", "%d rows are on their way to the feeds.", count)
        % count
    )
    modeladmin.message_user(request, message, messages.SUCCESS)


@admin.action(description=_("Remove from feeds"), permissions=["change"])
def remove_from_feeds(modeladmin: _ModelAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """Admin action for tracked models: take the selected rows out of all feeds, until they are saved again.

    For those who may change the rows.
    """
    if not publishers_of(queryset.model):
        modeladmin.message_user(request, _("This model is not tracked by django_stream."), messages.ERROR)
        return
    report = withdraw(queryset)
    message = (
        ngettext(
            "%d row was taken out of the feeds until it is saved again.",
            "%d rows were taken out of the feeds until they are saved again.",
            report.published,
        )
        % report.published
    )
    modeladmin.message_user(request, message, messages.SUCCESS)
    if late := report.failed + report.parked + report.overtaken:
        failed = _("Not reached, and tried again or parked: %d. The outbox says why.") % late
        modeladmin.message_user(request, failed, messages.WARNING)


@admin.action(description=_("Why is this (not) in the feed?"), permissions=["view"])
def explain_in_feed(
    modeladmin: _ModelAdmin, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponseBase:
    """Admin action for tracked models: asks for a feed, and says why the rows are in it or are not."""
    feed = request.POST.get("feed", "").strip()
    rows = list(queryset[:_EXPLAINED])
    answers = []
    for row in rows if is_feed_id(feed) else ():
        reasons = list(explain_row(type(row), row.pk, feed, queryset.db))
        answers.append((_text_of(row), reasons, not any(reason.stops for reason in reasons)))
    if feed and not is_feed_id(feed):
        modeladmin.message_user(request, _("That is not the id of a feed."), messages.ERROR)
    context = modeladmin.admin_site.each_context(request) | {
        "title": _("Why is this (not) in the feed?"),
        "rows": rows,
        "feed": feed,
        "answers": answers,
        "opts": queryset.model._meta,
    }
    return TemplateResponse(request, "django_stream/admin/explain.html", context)


def _text_of(row: models.Model) -> str:
    name = f"{row._meta.label} {row.pk}"
    return or_else(name, lambda: str(row), logger, "%s has no text", name)


class FeedsAdminMixin(_ModelAdmin):
    """For admins of tracked models: our actions, and links from a row's page to what the feeds have of it."""

    actions = (publish_to_feeds, remove_from_feeds, explain_in_feed)
    change_form_template = "django_stream/admin/change_form.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of a row, with these links."""
        row = self.get_object(request, unquote(object_id))
        links: list[Link] = []
        if row is not None and self.has_view_permission(request, row):
            links += links_of_row(self.admin_site, request, row)
        context = {"feed_links": links, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)


class ReadOnlyAdmin(_ModelAdmin):
    """Rows that are looked at, and that only code writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ObjectAdmin(ReadOnlyAdmin):
    """Rows about objects of other models, with the way to these, and to one another."""

    change_form_template = "django_stream/admin/change_form.html"

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        @admin.display(description=_("row"))
        def row(entry: Any) -> str:
            url = row_url(self.admin_site, request, entry.model_label, entry.object_key)
            return format_html('<a href="{}">{}</a>', url, entry) if url else ""

        return (*super().get_list_display(request), row)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        entry = self.get_object(request, unquote(object_id))
        links = (
            list(self.links(request, entry))
            if entry is not None and self.has_view_permission(request)
            else []
        )
        context = {"feed_links": links, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def links(self, request: HttpRequest, entry: Any) -> Iterator[Link]:
        """Where the page of an entry leads."""
        if url := row_url(self.admin_site, request, entry.model_label, entry.object_key):
            yield Link(str(_("Open the row")), url)
        yield from links_of_object(self.admin_site, request, entry.model_label, entry.object_key)


class StateFilter(admin.SimpleListFilter):
    """Whether an entry waits for its turn, or for somebody to retry it."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: _ModelAdmin) -> list[tuple[str, Any]]:
        return [("waiting", _("Waiting")), ("parked", _("Parked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxEntry]) -> QuerySet[OutboxEntry]:
        if self.value() not in ("waiting", "parked"):
            return queryset
        return queryset.filter(parked_at__isnull=self.value() == "waiting")


class LabelFilter(admin.SimpleListFilter):
    """Of which model: those that are tracked. Which ones a table holds, only all of its rows would tell."""

    title = _("model")
    parameter_name = "model_label__exact"

    def lookups(self, request: HttpRequest, model_admin: _ModelAdmin) -> list[tuple[str, Any]]:
        return [(label, label) for label in sorted({one.label for one in publishers()})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        label = self.value()
        return queryset if label is None else queryset.filter(model_label=label)


@admin.register(OutboxEntry)
class OutboxEntryAdmin(ObjectAdmin):
    list_display = (
        "model_label",
        "object_key",
        "why",
        "attempts",
        "next_attempt",
        "parked_at",
        "created_at",
    )
    list_filter = (StateFilter, LabelFilter)
    search_fields = ("object_key", "reason")
    actions = ("retry",)
    show_full_result_count = False

    @admin.display(description=_("last failure"), ordering="reason")
    def why(self, entry: OutboxEntry) -> str:
        return Truncator(entry.reason).chars(_REASON_LENGTH)

    @admin.display(description=_("next attempt"), ordering="due_at")
    def next_attempt(self, entry: OutboxEntry) -> datetime | None:
        return entry.due_at if entry.parked_at is None else None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What became of a change is only known through its entry.
        return False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("django_stream.change_outboxentry")

    @admin.action(description=_("Retry parked entries"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[OutboxEntry]) -> None:
        count = retry_parked(queryset.db, queryset)
        self.message_user(
            request, ngettext("%d entry is due again.", "%d entries are due again.", count) % count
        )


@admin.register(Publication)
class PublicationAdmin(ObjectAdmin):
    list_display = ("model_label", "object_key", "records", "leased_until")
    list_filter = (LabelFilter,)
    # The whole key, which is found by an index among millions.
    search_fields = ("object_key__exact",)
    search_help_text = _("the key of an object in full")
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.feed_view)
        return [path("feed/<path:feed>/", view, name="django_stream_publication_feed"), *super().get_urls()]

    def links(self, request: HttpRequest, entry: Any) -> Iterator[Link]:
        yield from super().links(request, entry)
        yield from links_of_feeds(self.admin_site, request, entry)

    def feed_view(self, request: HttpRequest, feed: str) -> HttpResponse:
        """What is in a feed and why, for those who may look at the ledger."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not is_feed_id(feed):
            raise Http404(f"{feed!r} is not the id of a feed")
        items: list[Any] = []
        try:
            items = [
                (item, url_of_foreign_id(self.admin_site, request, item.foreign_id))
                for item in explain_feed(feed, _LISTED)
            ]
        except (StreamApiException, TransportException) as error:
            self.message_user(request, str(error), messages.ERROR)
        context = self.admin_site.each_context(request) | {"title": feed, "items": items, "opts": self.opts}
        return TemplateResponse(request, "django_stream/admin/feed.html", context)


@admin.register(RecordedActivity)
class RecordedActivityAdmin(ReadOnlyAdmin):
    """Activities of `record`; who may delete them may retract them."""

    list_display = ("actor", "verb", "object", "target", "time", "to_only", "key")
    # Whole values, which are found by an index among millions.
    search_fields = ("key__exact", "actor__exact", "object__exact")
    search_help_text = _("a key, or the actor or object in full, such as shop.Review:7")
    list_filter = (("time", admin.DateFieldListFilter),)
    ordering = ("-pk",)
    actions = ("delete_selected",)
    show_full_result_count = False

    @admin.action(description=_("Retract selected activities"), permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[RecordedActivity]
    ) -> HttpResponseBase | None:
        """Django's own, which asks first; the feeds follow."""
        answer: HttpResponseBase | None = delete_selected(self, request, queryset)
        return answer
