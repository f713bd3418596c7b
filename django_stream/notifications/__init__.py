"""Notifications that people can live with: dismissals, preferences, digests. An app of its own."""

from typing import TYPE_CHECKING

from django_stream.lazy import lazy_exports

__all__ = [
    "Channels",
    "Digest",
    "DigestReport",
    "Preferences",
    "adismiss",
    "adismiss_all",
    "apreferences",
    "aset_digest",
    "aset_preference",
    "dismiss",
    "dismiss_all",
    "preferences",
    "send_digests",
    "set_digest",
    "set_preference",
    "unsubscribe_url",
]

if TYPE_CHECKING:
    from django_stream.notifications.choosing import (
        Channels,
        Preferences,
        apreferences,
        aset_digest,
        aset_preference,
        preferences,
        set_digest,
        set_preference,
    )
    from django_stream.notifications.digest import Digest
    from django_stream.notifications.dismissing import adismiss, adismiss_all, dismiss, dismiss_all
    from django_stream.notifications.sending import DigestReport, send_digests
    from django_stream.notifications.unsubscribing import unsubscribe_url
else:
    _ROOMS = ("dismissing", "choosing", "digest", "sending", "unsubscribing")
    __getattr__ = lazy_exports(__name__, __all__, [f"{__name__}.{room}" for room in _ROOMS])
