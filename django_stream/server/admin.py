"""The admin of the server half: applications and their keys, and an explorer of feeds."""

from django_stream.server.explorer.applications import ApiKeyAdmin, ApplicationAdmin
from django_stream.server.explorer.feeds import FeedAdmin
from django_stream.server.explorer.records import AuditLogAdmin, ModerationFlagAdmin
from django_stream.server.explorer.streams import AppStreamAdmin, DeadLetterAdmin, StreamWebhookAdmin

__all__ = [
    "ApiKeyAdmin",
    "AppStreamAdmin",
    "ApplicationAdmin",
    "AuditLogAdmin",
    "DeadLetterAdmin",
    "FeedAdmin",
    "ModerationFlagAdmin",
    "StreamWebhookAdmin",
]
