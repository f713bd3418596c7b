"""Admin: what people chose, to be looked at when they ask why they were not told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from django_stream.notifications.models import DigestSubscription, Preference

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class _LookedAt(_ModelAdmin):
    """Whose choice it is makes it."""

    list_select_related = ("user",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Preference)
class PreferenceAdmin(_LookedAt):
    list_display = ("user", "verb", "in_feed", "by_email")
    list_filter = ("in_feed", "by_email")
    search_fields = ("verb__exact",)


@admin.register(DigestSubscription)
class DigestSubscriptionAdmin(_LookedAt):
    list_display = ("user", "frequency", "period", "mailed_until")
    list_filter = ("frequency",)
