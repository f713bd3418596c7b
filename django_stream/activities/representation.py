"""The properties that make up the activity of a row; any of them may be overridden."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, TypeVar, cast

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone

from django_stream.activities.declaration import STREAM_DJANGO, ActivityDeclaration
from django_stream.activities.model_references import as_reference, label_reference_of
from django_stream.activities.owners import may_be_user, owner_id
from django_stream.activities.paths import Source, read_property, resolve, wire_name
from django_stream.database.querysets import listed_rows

_Model = TypeVar("_Model", bound=models.Model)

DEFAULT_TIME = "created_at"
DEFAULT_ACTOR = "user"


class ActivityProperties:
    """Names follow stream-django, so that its models move by a change of import."""

    @property
    def activity_instance(self) -> models.Model:
        """The row itself."""
        return self  # type: ignore[return-value]

    @property
    def activity_declaration(self) -> ActivityDeclaration:
        return ActivityDeclaration.of(type(self.activity_instance))

    @property
    def activity_actor_attr(self) -> Any:
        """The acting instance, usually a user."""
        return self._declared(self.activity_declaration.actor or DEFAULT_ACTOR)

    @property
    def activity_actor_id(self) -> Any:
        """Whose feed the activity goes to first: see `owner_id`."""
        actor = self.activity_actor_attr
        if isinstance(actor, models.Model):
            return actor.pk if self._is_named_as_before else owner_id(actor)
        if actor is not None and not may_be_user(actor):
            raise ValueError(
                f"the actor is {actor!r}, which is no row and no key of a user, and nobody would read its "
                "feed: give the row, as in actor = lambda row: row.author"
            )
        return actor

    @property
    def activity_actor(self) -> str | None:
        """The actor as it stands in the activity: a model reference."""
        return self._reference(self.activity_actor_attr)

    @property
    def activity_verb(self) -> str:
        verb = self.activity_declaration.verb
        if verb is None:
            return self.activity_instance._meta.model_name or ""
        return str(verb(self.activity_instance) or "") if callable(verb) else verb

    @property
    def activity_object_attr(self) -> Any:
        """What is acted upon: the row itself unless declared otherwise."""
        source = self.activity_declaration.object
        return self.activity_instance if source is None else self._declared(source)

    @property
    def activity_object(self) -> str | None:
        return self._reference(self.activity_object_attr)

    @property
    def activity_target(self) -> str | None:
        source = self.activity_declaration.target
        return None if source is None else self._reference(self._declared(source))

    @property
    def activity_foreign_id(self) -> str:
        """With the time, the identity of the activity on the wire."""
        if self._is_named_as_before:
            return self.activity_object or ""
        return label_reference_of(self.activity_instance)

    @property
    def activity_time(self) -> datetime | None:
        value = self._declared(self.activity_declaration.time or DEFAULT_TIME)
        if self._is_named_as_before and isinstance(value, datetime) and timezone.is_naive(value):
            return value.replace(tzinfo=UTC)
        return None if value is None else aware(value)

    @property
    def activity_notify(self) -> list[Any]:
        """Further feeds that receive the activity: feed ids, feeds, or users (their notification feeds)."""
        source = self.activity_declaration.to
        value: Any = None if source is None else self._declared(cast("Source", source))
        return several(value, self.activity_instance)

    @property
    def activity_author_feed(self) -> str | None:
        """Slug of the feed that receives the activity first; None means STREAM_USER_FEED."""
        return self.activity_declaration.feed

    @property
    def activity_to_only(self) -> bool:
        """Whether only the recipients get it, and not the actor's feed, which the actor's followers read."""
        return bool(self._declared_flag(self.activity_declaration.to_only))

    @property
    def activity_should_publish(self) -> bool:
        """False keeps the row out of the feeds, and takes it out when it was in."""
        source = self.activity_declaration.should_publish
        return True if source is None else bool(self._declared(source))

    @property
    def extra_activity_data(self) -> dict[str, Any] | None:
        """Custom fields of the activity."""
        return {wire_name(path): self._declared(path) for path in self.activity_declaration.extra}

    @classmethod
    def activity_related_models(cls) -> list[str] | None:
        """Paths for select_related when rows of this model are shown in a feed."""
        return None

    @property
    def _is_named_as_before(self) -> bool:
        return self.activity_declaration.identity == STREAM_DJANGO

    def _reference(self, value: Any) -> str | None:
        if self._is_named_as_before and isinstance(value, models.Model):
            return f"{value._meta.label}:{value.pk}"  # of proxies, too
        return as_reference(value)

    def _declared_flag(self, source: Source | bool) -> Any:
        return source if isinstance(source, bool) else self._declared(source)

    def _declared(self, source: Source) -> Any:
        return resolve(self.activity_instance, source)


def several(value: Any, row: models.Model) -> list[Any]:
    """The recipients that a declaration leads to, of one or of many."""
    if hasattr(value, "all"):
        # From the row's own database: a replica that a router names may not know the change yet.
        value = listed_rows(value, row._state.db)
    if isinstance(value, str | models.Model):
        return [value]
    return [] if value is None else list(value)


def what_is_said(representation: ActivityProperties) -> dict[str, Any]:
    """The activity of a row: times are times, and `to` may hold users and feeds."""

    def read(name: str) -> Any:
        return read_property(representation, name, representation.activity_instance)

    activity: dict[str, Any] = dict(read("extra_activity_data") or {})
    activity |= {name: read(f"activity_{name}") for name in ("time", "actor", "verb", "object", "foreign_id")}
    if target := read("activity_target"):
        activity["target"] = target
    if (recipients := read("activity_notify")) is not None:
        activity["to"] = without_clients(recipients)
    return activity


def without_clients(recipients: Iterable[Any]) -> list[Any]:
    """The recipients with the ids of feeds in place of the feeds."""
    from django_stream.client import Feed  # with it comes all that sends

    return [one.id if isinstance(one, Feed) else one for one in recipients]


def with_activity_properties(model: type[_Model]) -> type[_Model]:
    """Give a model class the properties without making them one of its bases."""
    for name, value in vars(ActivityProperties).items():
        if not name.startswith("__"):
            setattr(model, name, value)
    return model


def represents_itself(model: type[models.Model]) -> bool:
    """Whether rows of the model have the properties, so that a project may override them."""
    return hasattr(model, "activity_declaration")


class RegisteredActivity(ActivityProperties):
    """The properties of a row whose model cannot have the mixin."""

    def __init__(self, instance: models.Model, declaration: ActivityDeclaration) -> None:
        self._instance = instance
        self._declaration = declaration

    @property
    def activity_instance(self) -> models.Model:
        return self._instance

    @property
    def activity_declaration(self) -> ActivityDeclaration:
        return self._declaration


_ALL = tuple(
    name
    for name, value in vars(ActivityProperties).items()
    if not name.startswith("__") and not isinstance(value, classmethod)
)
_ABOUT_THE_ROW = {"activity_instance", "activity_declaration", "_is_named_as_before"}
# What an activity is made of; the others only tell how rows are read.
PROPERTIES = tuple(
    name
    for name, value in vars(ActivityProperties).items()
    if isinstance(value, property) and name not in _ABOUT_THE_ROW
)


def aware(value: date | datetime) -> datetime:
    """Naive times are local where USE_TZ is off, as Django stores them, and UTC where it is on."""
    if not isinstance(value, date):
        raise TypeError(f"the activity's time is {value!r}, and neither a date nor a datetime")
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if timezone.is_aware(value):
        return value
    zone = timezone.get_fixed_timezone(0) if settings.USE_TZ else timezone.get_default_timezone()
    return timezone.make_aware(value, zone)


def sources_of(model: type[models.Model], declaration: ActivityDeclaration) -> list[Source]:
    """Every path the activity is made from, defaults included; overridden properties may read anything."""
    defaults = {"actor": DEFAULT_ACTOR, "time": DEFAULT_TIME}
    sources: dict[str, Source] = {**defaults, **declaration.sources()}
    if represents_itself(model) and _says_more(model):
        sources["an overridden property"] = lambda row: row
    return list(sources.values())


def overrides(model: type[models.Model], *names: str) -> bool:
    """Whether a model replaces any of these properties by its own."""
    return any(getattr(model, name) is not getattr(ActivityProperties, name) for name in names)


def says_as_declared(kind: type[Any]) -> bool:
    """Whether rows of a class say what its declaration tells, and nothing of it is replaced by code."""
    return getattr(kind, "create_activity", what_is_said) is what_is_said and not overrides(kind, *_ALL)


def _says_more(model: type[models.Model]) -> bool:
    """Whether code of the model, of which nobody knows what it reads, makes its activities."""
    made = getattr(model, "create_activity", what_is_said)
    return made is not what_is_said or overrides(model, *PROPERTIES)


def default_time_is_missing(model: type[models.Model]) -> bool:
    """True when a model neither declares its time nor has the field that is used by default."""
    try:
        model._meta.get_field(DEFAULT_TIME)
    except FieldDoesNotExist:
        return not hasattr(model, DEFAULT_TIME)
    return False


def default_actor_is_missing(model: type[models.Model]) -> bool:
    try:
        model._meta.get_field(DEFAULT_ACTOR)
    except FieldDoesNotExist:
        return not hasattr(model, DEFAULT_ACTOR)
    return False
