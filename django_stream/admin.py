"""Admin: what is waiting and why, what was recorded, and an action that publishes rows again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_stream.models import OutboxEntry, Publication, RecordedActivity
from django_stream.operations.explain import explain_row, is_feed_id
from django_stream.publishing.backfill import republish
from django_stream.publishing.parking import retry_parked
from django_stream.publishing.publisher import publishers_of

__all__ = ["explain_in_feed", "publish_to_feeds"]

# Each costs some calls of the API.
_EXPLAINED = 10

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
        answers.append((row, reasons, not any(reason.stops for reason in reasons)))
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


class ReadOnlyAdmin(_ModelAdmin):
    """Rows that are looked at, and that only code writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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


@admin.register(OutboxEntry)
class OutboxEntryAdmin(ReadOnlyAdmin):
    list_display = (
        "model_label",
        "object_key",
        "why",
        "attempts",
        "next_attempt",
        "parked_at",
        "created_at",
    )
    list_filter = (StateFilter, "model_label")
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
class PublicationAdmin(ReadOnlyAdmin):
    list_display = ("model_label", "object_key", "records", "leased_until")
    list_filter = ("model_label",)
    search_fields = ("object_key",)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
