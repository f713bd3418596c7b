"""Following and unfollowing, and what a front end asks of the signed-in user beside feeds."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from django_stream.activities.follow_rows import follow, unfollow
from django_stream.activities.ids import from_wire_id
from django_stream.activities.model_references import clean_pk
from django_stream.activities.owners import user_id_of
from django_stream.api.base import StreamView
from django_stream.api.failures import refusals_as_answers
from django_stream.feeds.follow_lists import is_following
from django_stream.feeds.manager import feed_manager
from django_stream.feeds.readers import notifications, visible_to


class FollowView(StreamView):
    """Whether one follows a user; POST follows, DELETE stops it. Each may be sent again."""

    def get(self, request: Request, key: str) -> Response:
        with refusals_as_answers():
            return Response({"following": is_following(request.user, self.person(request, key))})

    def post(self, request: Request, key: str) -> Response:
        user, person = _user(request), self.person(request, key)
        if person == user:
            raise ValidationError({"detail": [_("Nobody follows oneself.")]})
        follows = follow(user, person)
        return Response({"following": follows, "requested": not follows})

    def delete(self, request: Request, key: str) -> Response:
        # Whoever is hidden by now may have been followed before; the answer does not tell who is hidden.
        with suppress(Http404):
            unfollow(_user(request), self.found(get_user_model()._default_manager.all(), key))
        return Response({"following": False, "requested": False})

    def person(self, request: Request, key: str) -> models.Model:
        """The user that the address names, as far as who is signed in may see one; override it for names."""
        active = get_user_model()._default_manager.filter(is_active=True)
        return self.found(visible_to(request.user, active), key)

    def found(self, users: models.QuerySet[Any], key: str) -> models.Model:
        pk = clean_pk(users.model, from_wire_id(key))
        row: models.Model | None = None if pk is None else users.filter(pk=pk).first()
        if row is None:
            raise Http404(f"there is no user {key!r}")
        return row


class NotificationCountView(StreamView):
    """How many notifications wait to be seen and to be read: `{"unseen": 2, "unread": 5}`."""

    def get(self, request: Request) -> Response:
        with refusals_as_answers():
            return Response(notifications(request.user).counts())


class UserTokenView(StreamView):
    """POST gives a token with which the browser or phone of who is signed in calls the API itself."""

    lifetime = 3600
    """Seconds until it expires."""

    @property
    def stream_scope(self) -> str:
        return "stream_token"

    def post(self, request: Request) -> Response:
        expires = int(time.time()) + self.lifetime
        user_id = user_id_of(_user(request))
        token = feed_manager.client.create_user_token(user_id, exp=expires)
        expires_at = datetime.fromtimestamp(expires, UTC).isoformat()
        return Response({"token": token, "user_id": user_id, "expires_at": expires_at})


def _user(request: Request) -> Any:
    """Who is signed in, which the permission has made sure of."""
    return request.user
