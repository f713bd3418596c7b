"""One's notifications: listed, marked, dismissed, and where one wants to hear of what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.apps import apps
from django.db import router, transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import MethodNotAllowed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_204_NO_CONTENT

from django_stream import notifications as app
from django_stream.api.base import StreamView
from django_stream.api.failures import refusals_as_answers
from django_stream.api.views import FeedView
from django_stream.feeds.paging import FeedReader
from django_stream.feeds.readers import notifications
from django_stream.protocol.suggestions import did_you_mean

_CHANNELS = ("in_feed", "by_email")
_NAMES = ("verbs", "digest")
# Of one request: each is a row.
_VERBS = 100


class NotificationsView(FeedView):
    """GET lists one's notifications, POST marks them as seen or read, DELETE dismisses them all."""

    def reader(self, request: Request, slug: str = "") -> FeedReader:
        return notifications(request.user)

    def delete(self, request: Request) -> Response:
        if not apps.is_installed("django_stream.notifications"):
            raise MethodNotAllowed("DELETE", _("Dismissing needs the app django_stream.notifications."))
        with refusals_as_answers():
            app.dismiss_all(request.user)
        return Response(status=HTTP_204_NO_CONTENT)


class NotificationView(StreamView):
    """DELETE dismisses one notification, by the id that it has in the list."""

    def delete(self, request: Request, entry: str) -> Response:
        with refusals_as_answers():
            if not app.dismiss(request.user, entry):
                raise Http404("there is no such notification, or something has joined it since")
        return Response(status=HTTP_204_NO_CONTENT)


class PreferencesView(StreamView):
    """What one chose: `{"verbs": {"like": {"in_feed": true, "by_email": false}}, "digest": "weekly"}`.

    PATCH changes what it names and leaves the rest.
    """

    def get(self, request: Request) -> Response:
        return Response(asdict(app.preferences(request.user)))

    def patch(self, request: Request) -> Response:
        verbs, digest = _chosen(request.data)
        model = apps.get_model("django_stream_notifications", "Preference")
        # All of it or nothing: a wrong part leaves the rest unsaved, too.
        with transaction.atomic(using=router.db_for_write(model)):
            with _refused_as("digest"):
                if digest is not None:
                    app.set_digest(request.user, digest)
            with _refused_as("verbs"):
                for verb, channels in verbs.items():
                    app.set_preference(request.user, verb, **channels)
        return self.get(request)


@contextmanager
def _refused_as(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValidationError({name: [str(error)]}) from error


def _chosen(body: Any) -> tuple[Mapping[str, Mapping[str, bool]], str | None]:
    if not isinstance(body, Mapping):
        raise ValidationError({"detail": ["Must be an object."]})
    _refuse_others(body, _NAMES)
    verbs, digest = body.get("verbs", {}), body.get("digest")
    if not isinstance(verbs, Mapping) or len(verbs) > _VERBS:
        raise ValidationError({"verbs": [f"Must be an object of up to {_VERBS} verbs."]})
    for channels in verbs.values():
        if not isinstance(channels, Mapping) or any(not isinstance(on, bool) for on in channels.values()):
            raise ValidationError({"verbs": ["Must have objects of true and false."]})
        _refuse_others(channels, _CHANNELS)
    return verbs, digest


def _refuse_others(body: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if unknown := [str(name) for name in body if name not in names]:
        raise ValidationError({name: [f"Unknown. {did_you_mean(name, names)}"] for name in unknown})
