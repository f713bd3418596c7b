"""Activities without a row of the project's: the row is ours, and goes through the outbox like any other."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_stream.activities.mixins import ActivityMixin
from django_stream.activities.model_references import as_reference
from django_stream.activities.owners import OwnerID, owner_id
from django_stream.activities.payload import feed_ids_of, others
from django_stream.activities.registry import is_shown
from django_stream.activities.representation import aware
from django_stream.client.encoding import plain

_NAMES = frozenset({"key", "actor", "verb", "object", "target"})


class RecordedActivity(ActivityMixin, models.Model):
    """An activity that `record` was told of: what `Activity` says of a row stands in its columns."""

    key = models.CharField(_("key"), max_length=200, unique=True)
    actor = models.CharField(_("actor"), max_length=300)
    owner = models.CharField(_("owner of the feed"), max_length=255)
    verb = models.CharField(_("verb"), max_length=100)
    object = models.CharField(_("object"), max_length=300, blank=True, default="")
    target = models.CharField(_("target"), max_length=300, blank=True, default="")
    time = models.DateTimeField(_("time"), default=timezone.now)
    to = models.JSONField(_("recipients"), default=list, blank=True)
    to_only = models.BooleanField(_("for the recipients only"), default=False)
    feed = models.CharField(_("feed group"), max_length=255, blank=True, default="")
    extra = models.JSONField(_("custom data"), default=dict, blank=True)

    class Meta:
        app_label = "django_stream"
        verbose_name = _("recorded activity")
        verbose_name_plural = _("recorded activities")
        indexes = (
            models.Index(fields=["actor", "verb"], name="stream_recorded_actor"),
            models.Index(fields=["object"], name="stream_recorded_object"),
        )

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.object}".strip()

    @property
    def activity_actor(self) -> str:
        return self.actor

    @property
    def activity_actor_id(self) -> OwnerID:
        return OwnerID(self.owner)

    @property
    def activity_verb(self) -> str:
        return self.verb

    @property
    def activity_object(self) -> str | None:
        return self.object or as_reference(self)

    @property
    def activity_target(self) -> str | None:
        return self.target or None

    @property
    def activity_time(self) -> datetime:
        return aware(self.time)

    @property
    def activity_notify(self) -> list[Any]:
        return list(self.to)

    @property
    def activity_to_only(self) -> bool:
        return self.to_only

    @property
    def activity_author_feed(self) -> str | None:
        return self.feed or None

    @property
    def extra_activity_data(self) -> dict[str, Any]:
        return dict(self.extra)


def record(
    *,
    actor: models.Model,
    verb: str,
    object: Any = None,  # the standard's word
    target: Any = None,
    to: Any = (),
    time: date | None = None,
    extra: Mapping[str, Any] | None = None,
    key: str | None = None,
    feed: str | None = None,
    to_only: bool = False,
    notify_self: bool = False,
    using: str | None = None,
) -> RecordedActivity:
    """Publish an activity that no row of yours stands for, in the open transaction and by the outbox.

    `actor`, `object` and `target` are instances (the last two may be texts; without `object`, the answer
    is the object), `to` one or several instances or feed ids, `time` now unless given, `extra` custom data.
    The other arguments are those of `class Activity`. With a `key` of your own, a second call changes the
    activity instead of adding another. `using` is the database. Raises TypeError and ValueError for what
    cannot be published.
    """
    if not isinstance(actor, models.Model):
        raise TypeError(f"record(actor=…) is {actor!r}: give an instance, such as request.user signed in")
    recipients = _several(to)
    told = recipients if notify_self else others(recipients, owner_id(actor))
    values: dict[str, Any] = {
        "actor": _reference("actor", actor),
        "owner": str(owner_id(actor)),
        "verb": verb,
        "object": _reference("object", object),
        "target": _reference("target", target),
        "to": feed_ids_of(told),
        "to_only": to_only,
        "feed": feed or "",
        "extra": plain(dict(extra or {}), "extra"),
    }
    moment = {} if time is None else {"time": aware(time)}
    named = uuid.uuid4().hex if key is None else key
    RecordedActivity(key=named, **values, **moment).clean_fields()
    rows = _rows(using)
    if key is None:
        return rows.create(key=named, **values, **moment)
    row: RecordedActivity
    row, _created = rows.update_or_create(key=key, defaults=values | moment, create_defaults=values | moment)
    return row


def retract(activity: RecordedActivity | None = None, /, *, using: str | None = None, **what: Any) -> int:
    """Take recorded activities out of all feeds; returns how many.

    Give what `record` returned, or `key`, `actor`, `verb`, `object`, `target`, of which all must match.
    """
    if unknown := what.keys() - _NAMES:
        raise TypeError(f"retract() knows {', '.join(sorted(_NAMES))}, and not {', '.join(sorted(unknown))}")
    if (activity is None) == (not what):
        raise TypeError("retract() takes what record() returned, or what to look for, such as key=…")
    rows = _rows(using or (activity._state.db if activity else None))
    wanted: dict[str, Any] = {"pk": activity.pk} if activity else {}
    for name, value in what.items():
        wanted[name] = as_reference(value) if isinstance(value, models.Model) else value
    return int(rows.filter(**wanted).delete()[0])


def _rows(using: str | None) -> models.QuerySet[RecordedActivity]:
    rows: models.QuerySet[RecordedActivity] = RecordedActivity.objects.all()
    return rows.using(using) if using else rows


def _reference(name: str, value: Any) -> str:
    if isinstance(value, models.Model):
        model = value.__class__  # of request.user, which is a lazy object, `type` is another
        if not is_shown(model):
            label = model._meta.label
            raise ValueError(
                f"record({name}=…) is a {label}, which pages would show as text: "
                f'call tracking.show("{label}") in the ready() of an app'
            )
    return as_reference(value) or ""


def _several(to: Any) -> Iterable[Any]:
    if isinstance(to, str | models.Model):
        return (to,)
    several: Iterable[Any] = to.all() if hasattr(to, "all") else to
    return several
