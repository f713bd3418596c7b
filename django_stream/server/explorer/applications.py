"""Applications and API keys in the admin. Secrets are shown once, when they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from django_stream.server.events.event import Event
from django_stream.server.events.recording import record
from django_stream.server.feed_groups import groups_of
from django_stream.server.feed_store import database
from django_stream.server.models import ApiKey, Application

if TYPE_CHECKING:
    _ApplicationBase = admin.ModelAdmin[Application]
    _ApiKeyBase = admin.ModelAdmin[ApiKey]
else:  # generic for the type checker only
    _ApplicationBase = admin.ModelAdmin
    _ApiKeyBase = admin.ModelAdmin


@admin.register(Application)
class ApplicationAdmin(_ApplicationBase):
    list_display = ("id", "name", "is_suspended", "created_at")
    list_filter = ("is_suspended",)
    search_fields = ("id", "name")
    readonly_fields = ("created_at", "feed_groups")

    @admin.display(description="feed groups")
    def feed_groups(self, application: Application) -> SafeString:
        rows = [(group.slug, group.kind) for group in groups_of(application.pk).values()]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", rows))


@admin.register(ApiKey)
class ApiKeyAdmin(_ApiKeyBase):
    list_display = ("key", "application", "created_at", "previous_until")
    list_select_related = ("application",)
    readonly_fields = ("created_at", "generation", "previous_until")
    actions = ("rotate",)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.readonly_fields if obj is None else ("key", "application", *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record([Event(obj.application_id, "token", obj.key, "update" if change else "create")])
        if not change:
            self._tell(request, obj, obj.secret())

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        self.delete_queryset(request, ApiKey.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        with transaction.atomic(using=database()):
            record([Event(key.application_id, "token", key.key, "delete") for key in queryset])
            super().delete_queryset(request, queryset)

    @admin.action(
        description="Make a new secret; the former one stays valid for a while", permissions=["change"]
    )
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            with transaction.atomic(using=database()):
                secret = key.rotate()
                record([Event(key.application_id, "token", key.key, "rotate")])
            self._tell(request, key, secret)

    def _tell(self, request: HttpRequest, key: ApiKey, secret: str) -> None:
        text = f"The secret of {key} is {secret}. It is not shown again."
        self.message_user(request, text, messages.WARNING)
