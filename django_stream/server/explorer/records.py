"""The audit log and users' reports in the admin, read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from django_stream.server.actions.moderation import KINDS
from django_stream.server.events.audit_log import ENTITY_TYPES
from django_stream.server.events.event import ACTIONS
from django_stream.server.explorer.filters import among
from django_stream.server.models import AuditLog, ModerationFlag

if TYPE_CHECKING:
    _AuditLogBase = admin.ModelAdmin[AuditLog]
    _ModerationFlagBase = admin.ModelAdmin[ModerationFlag]
else:  # generic for the type checker only
    _AuditLogBase = admin.ModelAdmin
    _ModerationFlagBase = admin.ModelAdmin


@admin.register(AuditLog)
class AuditLogAdmin(_AuditLogBase):
    list_display = ("created_at", "application", "action", "entity_type", "entity_id", "user_id")
    list_filter = (
        "application",
        among("action", lambda: ACTIONS),
        among("entity_type", lambda: ENTITY_TYPES),
    )
    list_select_related = ("application",)
    search_fields = ("entity_id", "user_id")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditLog | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditLog | None = None) -> bool:
        return False


@admin.register(ModerationFlag)
class ModerationFlagAdmin(_ModerationFlagBase):
    list_display = ("created_at", "application", "entity_type", "entity_id", "user_id", "reason")
    list_filter = ("application", among("entity_type", lambda: KINDS))
    list_select_related = ("application",)
    search_fields = ("entity_id", "user_id")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModerationFlag | None = None) -> bool:
        return False
