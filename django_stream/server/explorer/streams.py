"""Streams in the admin: who reads them, how far they are, and what webhooks did not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from django_stream.server.models import AppStream, DeadLetter, StreamWebhook
from django_stream.server.streams import status

if TYPE_CHECKING:
    _StreamBase = admin.ModelAdmin[AppStream]
    _WebhookBase = admin.ModelAdmin[StreamWebhook]
    _LetterBase = admin.ModelAdmin[DeadLetter]
else:  # generic for the type checker only
    _StreamBase = _WebhookBase = _LetterBase = admin.ModelAdmin


class ReadOnly:
    """Streams are changed by their applications, through the API."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AppStream)
class AppStreamAdmin(ReadOnly, _StreamBase):
    list_display = ("key", "application", "object_types", "filter", "readers", "lag", "sent", "dropped")
    list_select_related = ("application", "filter")
    list_filter = ("application",)
    readonly_fields = ("readers", "lag")

    @admin.display(description="readers")
    def readers(self, stream: AppStream) -> int:
        return int(status.of(stream)["readers"])

    @admin.display(description="events not delivered yet")
    def lag(self, stream: AppStream) -> int:
        return int(status.of(stream)["lag"])


@admin.register(StreamWebhook)
class StreamWebhookAdmin(ReadOnly, _WebhookBase):
    list_display = ("url", "stream", "position", "attempts", "due_at", "last_error")
    list_select_related = ("stream",)


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly, _LetterBase):
    list_display = ("created_at", "webhook", "first_position", "last_position", "error")
    list_select_related = ("webhook",)
