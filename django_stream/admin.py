"""Admin: what is waiting and why, and an action that publishes rows again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_stream.models import OutboxEntry, Publication
from django_stream.publishing.backfill import republish
from django_stream.publishing.parking import retry_parked
from django_stream.publishing.publisher import publishers_of

__all__ = ["publish_to_feeds"]

# In the list; the entry's own page has all of it.
_REASON_LENGTH = 120

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.action(description=_("Publish to feeds"))
def publish_to_feeds(modeladmin: _ModelAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """Admin action for tracked models: look at the selected rows again and publish what they say now."""
    if not publishers_of(queryset.model):
        modeladmin.message_user(request, _("This model is not tracked by django_stream."), messages.ERROR)
        return
    count = republish(queryset)
    message = (
        ngettext("%d row is on its way to the feeds.", "%d rows are on their way to the feeds.", count)
        % count
    )
    modeladmin.message_user(request, message, messages.SUCCESS)


class ReadOnlyAdmin(_ModelAdmin):
    """Rows that only the drain writes."""

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
