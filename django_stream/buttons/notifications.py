"""Buttons beside notifications, and their number for a script that keeps a badge up to date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from django_stream import notifications as app
from django_stream.buttons.answers import ButtonView, Refused
from django_stream.feeds.readers import notifications
from django_stream.protocol import limits
from django_stream.protocol.wire import is_entry_id

_MARKS = ("seen", "read", "unread")


class MarkView(ButtonView):
    """Mark by the fields `mark_seen`, `mark_read` and `mark_unread`: `true` for all, or ids of entries."""

    def do(self, request: HttpRequest, **captures: Any) -> Mapping[str, Any] | None:
        given = {name: request.POST.getlist(f"mark_{name}") for name in _MARKS}
        marks = {name: _which(values) for name, values in given.items() if values}
        if not marks:
            raise Refused("say what to mark: mark_seen, mark_read or mark_unread")
        notifications(request.user).mark(**marks)
        return None

    def answer(self, request: HttpRequest) -> Mapping[str, Any]:
        return notifications(request.user).counts()


class DismissView(ButtonView):
    """Take the notification that the field `notification` names off the list."""

    def do(self, request: HttpRequest, **captures: Any) -> Mapping[str, Any]:
        entry = request.POST.get("notification", "")
        if not is_entry_id(entry):
            raise Refused("say which one by its id, in the field notification")
        # Pressed twice, or grown since: the page to which it leads back shows what there is.
        return {"dismissed": app.dismiss(request.user, entry)}


class DismissAllView(ButtonView):
    """Take all notifications off the list."""

    def do(self, request: HttpRequest, **captures: Any) -> Mapping[str, Any]:
        app.dismiss_all(request.user)
        return {"dismissed": True}


class CountView(ButtonView):
    """`{"unseen": 2, "unread": 5}`, by GET."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(notifications(request.user).counts())


def _which(values: list[str]) -> bool | list[str]:
    if values == ["true"]:
        return True
    if len(values) > limits.PAGE_MAX or not all(map(_is_markable, values)):
        raise Refused(f"marks are true, or up to {limits.PAGE_MAX} ids of entries")
    return values


def _is_markable(value: str) -> bool:
    return is_entry_id(value) and "," not in value and value != "true"
