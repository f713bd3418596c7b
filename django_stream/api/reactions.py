"""Likes, comments and other reactions, as rows of the site: listed, added and deleted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError, models
from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from django_stream.activities.ids import from_wire_id
from django_stream.activities.model_references import clean_pk, object_id_of
from django_stream.activities.publishers.activities import is_published
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.reaction_rows import own_reactions, react, reactions_of_kind, writable_fields
from django_stream.activities.visibility import viewer_of
from django_stream.api.base import StreamView
from django_stream.api.pagination import rows_after
from django_stream.api.serializers import instance_data
from django_stream.conf import stream_settings
from django_stream.database.failures import or_else
from django_stream.feeds.visible_rows import may_see, those_seen, visible_reactions
from django_stream.protocol.suggestions import did_you_mean
from django_stream.protocol.texts import is_text

logger = logging.getLogger("django_stream.api")


class ReactionsView(StreamView):
    """GET lists the reactions of a kind to a row, the newest first; POST adds one; DELETE takes one's own.

    The kinds are those of STREAM_API_REACTIONS.
    """

    def may_react(self, request: Request, row: models.Model) -> bool:
        """Whether who is signed in may react to a row that they may see; override it for rules of yours."""
        return True

    def get(self, request: Request, kind: str, label: str, key: str) -> Response:
        publisher, row = self.seen(request, kind, label, key)
        found, following = rows_after(visible_reactions(request.user, publisher, row), request)
        seen = those_seen(request.user, publisher, found)
        results = [data for one in seen if (data := self._told(publisher, one)) is not None]
        return Response({"next": following, "results": results})

    def post(self, request: Request, kind: str, label: str, key: str) -> Response:
        publisher, row = self.seen(request, kind, label, key)
        if not self.may_react(request, row):
            self.permission_denied(request)
        try:
            made, is_new = react(publisher, request.user, row, _values(publisher, request.data))
        except ModelError as error:
            raise ValidationError(_told(error)) from error
        except IntegrityError as error:
            raise ValidationError({"detail": ["There is such a reaction already."]}) from error
        return Response(self.data(publisher, made), HTTP_201_CREATED if is_new else HTTP_200_OK)

    def delete(self, request: Request, kind: str, label: str, key: str) -> Response:
        publisher, model = _of(kind, label)
        row = _row(model._default_manager.all(), key)
        # Whoever is hidden by now may have been reacted to before.
        deleted, _ = own_reactions(publisher, request.user, row).delete()
        if not deleted and not _is_seen(request, row):
            raise _none_of(model, key)
        return Response(status=HTTP_204_NO_CONTENT)

    def seen(
        self, request: Request, kind: str, label: str, key: str
    ) -> tuple[ReactionPublisher, models.Model]:
        """What the address names, as far as who is signed in may see it."""
        publisher, model = _of(kind, label)
        row = _row(model._default_manager.all(), key)
        if not _is_seen(request, row):
            raise _none_of(model, key)
        return publisher, row

    def _told(self, publisher: ReactionPublisher, row: models.Model) -> dict[str, Any] | None:
        """A reaction of a list: one whose row's own code fails is left out, and logged."""
        message = "reaction %s:%s is left out of a list"
        return or_else(
            None, lambda: self.data(publisher, row), logger, message, publisher.reaction_kind, row.pk
        )

    def data(self, publisher: ReactionPublisher, row: models.Model) -> dict[str, Any]:
        """A reaction as JSON; the row by the serializer that is registered for its model."""
        user = getattr(row, str(publisher.declaration.user), None)
        values = {name: getattr(row, name) for name in writable_fields(publisher)}
        return {
            "id": object_id_of(row),
            "kind": publisher.reaction_kind,
            "user": instance_data(user, self.get_serializer_context()) if user else None,
            "data": instance_data(row, self.get_serializer_context(), default=values),
        }

    def get_serializer_context(self) -> dict[str, Any]:
        """What registered serializers are given."""
        return {"request": self.request, "view": self}


class ReactionView(StreamView):
    """DELETE takes away one reaction of one's own."""

    def delete(self, request: Request, kind: str, label: str, key: str, reaction: str) -> Response:
        publisher, model = _of(kind, label)
        row = _row(model._default_manager.all(), key)
        mine = own_reactions(publisher, request.user, row)
        pk = clean_pk(publisher.model, reaction)
        if pk is None or not mine.filter(pk=pk).delete()[0]:
            # The same answer as for a row that is not there: this one may be hidden.
            raise _none_of(model, key)
        return Response(status=HTTP_204_NO_CONTENT)


def _of(kind: str, label: str) -> tuple[ReactionPublisher, type[models.Model]]:
    if kind not in stream_settings.API_REACTIONS:
        raise Http404(f"STREAM_API_REACTIONS has no {kind!r}")
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError) as error:
        raise Http404(f"there is no model {label!r}") from error
    publisher = reactions_of_kind(kind, model)
    if publisher is None:
        raise Http404(f"there is no {kind!r} of {label}")
    return publisher, model


def _row(rows: models.QuerySet[Any], key: str) -> models.Model:
    pk = clean_pk(rows.model, from_wire_id(key))
    row: models.Model | None = None if pk is None else rows.filter(pk=pk).first()
    if row is None:
        raise _none_of(rows.model, key)
    return row


def _is_seen(request: Request, row: models.Model) -> bool:
    return is_published(row) and may_see(viewer_of(request.user), row)


def _none_of(model: type[models.Model], key: str) -> Http404:
    """Of a hidden row as of none: nobody is told which of both it is."""
    return Http404(f"there is no {model._meta.label} {key!r}")


def _values(publisher: ReactionPublisher, body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise ValidationError({"detail": ["Must be an object."]})
    names = writable_fields(publisher)
    if unknown := [str(name) for name in body if name not in names]:
        raise ValidationError({name: [f"Unknown. {did_you_mean(name, names)}"] for name in unknown})
    if wrong := [name for name, value in body.items() if isinstance(value, str) and not is_text(value)]:
        raise ValidationError({name: ["Has characters that cannot be stored."] for name in wrong})
    return dict(body)


def _told(error: ModelError) -> Any:
    return error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages}
