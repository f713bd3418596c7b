"""Unsubscribing by one click (RFC 8058): the address in an e-mail is all that it takes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.contrib.auth import get_user_model
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404
from django.urls import reverse

from django_stream.conf import stream_settings
from django_stream.notifications.checks import is_address
from django_stream.notifications.choosing import set_digest
from django_stream.notifications.models import OFF

_SALT = "django_stream.notifications.unsubscribe"


def site_url(path: str = "/") -> str:
    """The absolute address of a path of this site; ImproperlyConfigured while nobody knows it."""
    base = stream_settings.NOTIFICATIONS_BASE_URL
    if not is_address(base):
        raise ImproperlyConfigured(
            'e-mails need the address of the site: STREAM_NOTIFICATIONS_BASE_URL = "https://example.com"'
        )
    return urljoin(base, path)


def unsubscribe_url(user: Any) -> str:
    """The address by which whoever has an e-mail to this user ends them. It never expires."""
    token = signing.Signer(salt=_SALT).sign_object(str(user.pk))
    return site_url(reverse("django_stream_notifications:unsubscribe", args=[token]))


def user_of(token: str) -> Any:
    """Whose token it is; Http404 for one that we never gave out, and for users who are gone."""
    users = get_user_model()._default_manager
    try:
        user = users.filter(pk=signing.Signer(salt=_SALT).unsign_object(token)).first()
    except signing.BadSignature:
        user = None
    if user is None:
        raise Http404("there is no such subscription")
    return user


def unsubscribe(token: str) -> None:
    """Send no e-mails any more to whom the token was made for."""
    set_digest(user_of(token), OFF)
