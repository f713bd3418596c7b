"""API keys: which application a key belongs to and which secrets verify its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import router
from django.db.models import QuerySet

from django_stream.protocol.errors import ApiError
from django_stream.server.conf import server_settings
from django_stream.server.models import ApiKey, Application


@dataclass(frozen=True, slots=True)
class Credential:
    """A known API key."""

    application_id: int
    secrets: Sequence[str] = field(repr=False)


def credential_of(api_key: str) -> Credential:
    """Look up an API key; ApiError when it is unknown or its application suspended.

    The embedding site's own key has no row, so its calls need no query.
    """
    if api_key and api_key == server_settings.own_key:
        return Credential(server_settings.own_app_id, [server_settings.own_secret])
    # Some databases fail on what no key holds, such as null characters.
    possible = api_key != "" and api_key.isascii() and api_key.isprintable()
    stored = _keys().filter(key=api_key).first() if possible else None
    if stored is None:
        raise ApiError.named("ApiKeyException", "api_key is missing or unknown")
    if stored.application.is_suspended:
        raise ApiError.named("SiteSuspendedException", "this application is suspended")
    return Credential(stored.application_id, stored.valid_secrets())


def _keys() -> QuerySet[ApiKey]:
    """Where they are written: a replica that lags would let in whose key was just taken back."""
    return ApiKey.objects.using(router.db_for_write(ApiKey)).select_related("application")


def secrets_of(application_id: int) -> list[str]:
    """Every secret that signs for an application, where no API key says which; ApiError when suspended."""
    stored = _keys().filter(application=application_id)
    if (
        Application.objects.using(router.db_for_write(Application))
        .filter(pk=application_id, is_suspended=True)
        .exists()
    ):
        raise ApiError.named("SiteSuspendedException", "this application is suspended")
    secrets = [secret for key in stored for secret in key.valid_secrets()]
    if application_id == server_settings.own_app_id:
        secrets.append(server_settings.own_secret)
    return secrets
