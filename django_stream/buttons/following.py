"""Buttons that follow users, and rows of the models that STREAM_FOLLOWABLE names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db import models
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from django_stream.activities.context_feeds import OBJECT, TARGET
from django_stream.activities.follow_rows import follow, has_rows, unfollow
from django_stream.activities.ids import from_wire_id
from django_stream.activities.model_references import clean_pk
from django_stream.activities.owners import is_user_model
from django_stream.buttons.answers import ButtonView, Refused
from django_stream.conf import stream_settings
from django_stream.feeds.manager import feed_manager
from django_stream.feeds.readers import visible_to

_NOTHING = "there is nothing of that name to follow"
_ENDED: Mapping[str, bool] = {"following": False, "requested": False}


class FollowView(ButtonView):
    """Follow the row that the address names; with `stop` in the form, end that."""

    what_is_said_of_it = False
    """Whether what others do to the row is followed, too, where STREAM_CONTEXT_FEEDS has it."""

    def do(self, request: HttpRequest, **captures: Any) -> Mapping[str, Any]:
        if "stop" in request.POST:
            return self.end(request, **captures)
        rows = self.rows(request, captures["label"])
        return self.start(request.user, self.row(request, rows, captures["key"]))

    def end(self, request: HttpRequest, label: str, key: str) -> Mapping[str, Any]:
        """Stop it, whoever may be seen: who is hidden by now may have been followed before.

        A row that is not there is answered like one that is not followed: this tells nobody which are hidden.
        """
        row = _row_or_none(self.rows(request, label), key)
        return _ENDED if row is None else self.stop(request.user, row)

    def rows(self, request: HttpRequest, label: str) -> models.QuerySet[Any]:
        """The rows of a model that may be followed, Http404 for others; override it for rules of yours."""
        try:
            model = apps.get_model(label)
        except (LookupError, ValueError) as error:
            raise Http404(_NOTHING) from error
        named = {name.lower() for name in stream_settings.FOLLOWABLE}
        if not is_user_model(model) and model._meta.label_lower not in named:
            raise Http404(_NOTHING)
        rows: models.QuerySet[Any] = model._default_manager.all()
        return rows

    def row(self, request: HttpRequest, rows: models.QuerySet[Any], key: str) -> models.Model:
        """The row, as far as who is signed in may see it."""
        row = _row_or_none(rows, key)
        if row is None or not getattr(row, "is_active", True) or not visible_to(request.user, [row]):
            raise Http404(_NOTHING)
        if row == request.user:
            raise Refused(_("Nobody follows oneself."))
        return row

    def start(self, user: Any, row: models.Model) -> dict[str, bool]:
        follows, direct = True, self._slugs()
        if has_rows(user, row):
            follows, direct = follow(user, row), direct[1:]
        # What is said of those who have not agreed is not followed either.
        for slug in direct if follows else ():
            feed_manager.follow_feed(user, slug, row)
        return {"following": follows, "requested": not follows}

    def stop(self, user: Any, row: models.Model) -> Mapping[str, bool]:
        """End every follow of the row, also of what is said of it: nobody knows by which button it began."""
        direct = _all_slugs()
        if has_rows(user, row):
            unfollow(user, row)
            direct = direct[1:]
        for slug in direct:
            feed_manager.unfollow_feed(user, slug, row)
        return _ENDED

    def _slugs(self) -> list[str]:
        return _all_slugs() if self.what_is_said_of_it else [stream_settings.USER_FEED]


class UnfollowView(FollowView):
    """End it, for forms that have no field `stop`."""

    def do(self, request: HttpRequest, **captures: Any) -> Mapping[str, Any]:
        return self.end(request, **captures)


def _all_slugs() -> list[str]:
    """The feeds of a row: what it does, and what is said of it where there are feeds of that."""
    said = [slug for slug in (OBJECT, TARGET) if slug in stream_settings.CONTEXT_FEEDS]
    return [stream_settings.USER_FEED, *said]


def _row_or_none(rows: models.QuerySet[Any], key: str) -> models.Model | None:
    """The row that an address names by its key, which may be encoded: texts may hold a slash."""
    pk = clean_pk(rows.model, from_wire_id(key))
    row: models.Model | None = None if pk is None else rows.filter(pk=pk).first()
    return row
