"""Feeds as JSON for the site's own front end, by Django REST framework. URLs: `django_stream.api.urls`."""

from typing import TYPE_CHECKING

from django_stream.lazy import lazy_exports

__all__ = [
    "ActivitySerializer",
    "FeedView",
    "FollowView",
    "NotificationCountView",
    "NotificationView",
    "NotificationsView",
    "PreferencesView",
    "ReactionView",
    "ReactionsView",
    "UserTokenView",
    "outbox_health",
    "register_serializer",
]

if TYPE_CHECKING:
    from django_stream.api.health import outbox_health
    from django_stream.api.notifications import NotificationsView, NotificationView, PreferencesView
    from django_stream.api.people import FollowView, NotificationCountView, UserTokenView
    from django_stream.api.reactions import ReactionsView, ReactionView
    from django_stream.api.serializers import ActivitySerializer, register_serializer
    from django_stream.api.views import FeedView
else:
    _ROOMS = ("views", "people", "reactions", "notifications", "serializers", "health")
    __getattr__ = lazy_exports(__name__, __all__, [f"{__name__}.{room}" for room in _ROOMS])
