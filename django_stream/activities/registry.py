"""Which models are tracked: those with a mixin by themselves, others by one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from django_stream.activities import kinds
from django_stream.activities.inherited_managers import track_managers
from django_stream.activities.model_references import concrete, refer_by_prefix
from django_stream.activities.options import option_names, read_declaration
from django_stream.activities.publishers.base import TrackedPublisher
from django_stream.activities.publishers.follow_fields import follows_by, track_pairs, track_rows
from django_stream.activities.publishers.follows import FollowDeclaration, FollowPublisher
from django_stream.protocol.feed_ids import slug_of
from django_stream.protocol.suggestions import did_you_mean
from django_stream.publishing.publisher import publishers
from django_stream.publishing.receivers import listen_to, track, track_relation, track_watched
from django_stream.publishing.related import watch

ModelOrLabel = type[models.Model] | str


class Registration(NamedTuple):
    """A model that cannot be given a mixin, and the options that were given in place of its inner class."""

    kind: kinds.TrackedKind
    model: type[models.Model]
    options: dict[str, Any]
    replaces: bool = False
    """Whether the rows meant something else before: by an earlier call, or by the model's own class."""


_registered: dict[tuple[str, type[models.Model], str], Registration] = {}
_shown: set[type[models.Model]] = set()


def track_mixins() -> None:
    """Track every model of the project that has one of the mixins."""
    for model in apps.get_models():
        found = kinds.kinds_of(model)
        if found and model._meta.proxy:
            listen_to(model)
            continue
        for kind in found:
            # The site must start even so: the system checks say what is wrong and how to mend it.
            with suppress(FieldDoesNotExist, TypeError):
                _start(publisher := kind.publisher_of(model))
                if isinstance(publisher, FollowPublisher):
                    track_rows(publisher, raw_only=True)


def register(model: ModelOrLabel, **options: Any) -> None:
    """Track the rows of a model that cannot be given a mixin, as activities.

    `model` is a class or a label such as "shop.Review"; `options` are those of `class Activity`, such as
    `actor="user", verb="win"`, and the system checks name what is wrong with them. Call it in the `ready()`
    of an app. The model's managers stay what they are, and their bulk operations are seen.
    """
    _register(kinds.ACTIVITIES, model, options)


def register_reactions(model: ModelOrLabel, **options: Any) -> None:
    """The same for reactions, by the options of `class Reaction`."""
    _register(kinds.REACTIONS, model, options)


def register_collection(model: ModelOrLabel, **options: Any) -> None:
    """The same for rows that are mirrored as a collection, by the options of `class Collection`."""
    _register(kinds.COLLECTIONS, model, options)


def register_users(model: ModelOrLabel, fields: Sequence[str] = (), capture: str | None = None) -> None:
    """Mirror a user model that cannot be given a mixin, such as Django's own, as users of the API.

    `fields` are the paths whose values become the user's data. Call it in the `ready()` of an app.
    """
    _register(kinds.USERS, model, {"fields": fields, "capture": capture})


def register_follows(
    model: ModelOrLabel,
    field_name: str | None = None,
    feed: str | None = None,
    capture: str | None = None,
    **options: Any,
) -> None:
    """Let the rows of a model, or a many-to-many field of it, mean follows.

    Without `field_name`, `options` are those of `class Follows`: `follower` and `followed` (foreign keys,
    or generic ones), and `should_publish`. With it, rows of the model follow the rows in the field.
    `feed` is the slug of the feed that is followed, by default STREAM_USER_FEED; with `capture="database"`
    triggers notice changes, and not Django's signals. TypeError when the field
    is not a many-to-many field. Call it in the `ready()` of an app.
    """
    if field_name is None:
        _register(kinds.FOLLOWS, model, options | {"feed": feed, "capture": capture})
        return
    if options:
        raise TypeError(f"a many-to-many field is given alone, without {', '.join(sorted(options))}")
    model = model_of(model)
    field = model._meta.get_field(field_name)
    if not isinstance(field, models.ManyToManyField):
        raise TypeError(
            f"{model._meta.label}.{field_name} is not a many-to-many field: "
            f"of rows with two keys, give their names: register_follows(…, follower=…, followed=…)"
        )
    publisher = follows_by(field, feed)
    publisher.capture = capture
    _tell_apart(publisher)
    track_pairs(publisher, field)


def model_of(model: ModelOrLabel) -> type[models.Model]:
    """The model that a label names; TypeError or LookupError for what names none."""
    if isinstance(model, str):
        try:
            return apps.get_model(model)
        except (LookupError, ValueError) as error:
            close = did_you_mean(model, sorted(one._meta.label for one in apps.get_models()), otherwise="")
            raise LookupError(f"no installed app has a model {model!r}. {close}".strip()) from error
    if isinstance(model, type) and issubclass(model, models.Model):
        return model
    raise TypeError(f'{model!r} is no model: give its class, or its label, such as "shop.Review"')


def registered() -> list[Registration]:
    """What was registered by calls, for the system checks."""
    return list(_registered.values())


def show(*models_: ModelOrLabel) -> None:
    """Let pages show rows of these models (or labels): references to them are replaced by instances.

    Tracked models, the user model, and what the paths of `actor`, `object` and `target` lead to are shown
    without this.
    """
    _shown.update(concrete(model_of(model)) for model in models_)


def is_shown(model: type[models.Model]) -> bool:
    """Whether references to rows of this model are replaced by instances."""
    return concrete(model) in _shown


def declared_feeds() -> Iterator[tuple[str, str]]:
    """Slugs of feed groups that declarations name, each after its place, for the system checks."""
    for publisher in publishers():
        if not isinstance(publisher, TrackedPublisher):
            continue
        place = f"{publisher.model._meta.label}: {kinds.kind_of(publisher).inner}"
        if slug := publisher.declared_feed:
            yield f"{place}.feed", slug
        for feed in publisher.fixed_feeds:
            yield f"{place}.to", slug_of(str(feed))


def _register(kind: kinds.TrackedKind, model: ModelOrLabel, options: dict[str, Any]) -> None:
    model = model_of(model)
    known = option_names(kind.declaration)
    declaration = kind.declaration(**{name: options[name] for name in options if name in known})
    meaning = getattr(declaration, "meaning", "")
    replaces = _is_declared(kind, model, meaning, options)
    _registered[kind.inner, model, meaning] = Registration(kind, model, options, replaces)
    # The site must start even so: the system checks say what is wrong and how to mend it.
    with suppress(FieldDoesNotExist, TypeError):
        publisher = kind.registered(model, declaration)
        track_managers(model)
        if isinstance(publisher, FollowPublisher):
            _tell_apart(publisher)
            track_rows(publisher)
        _start(publisher)


def _is_declared(
    kind: kinds.TrackedKind, model: type[models.Model], meaning: str, options: dict[str, Any]
) -> bool:
    """Whether the rows of a model are of a kind already, and say something else by that."""
    if earlier := _registered.get((kind.inner, model, meaning)):
        return earlier.replaces or earlier.options != options
    if kind not in kinds.kinds_of(model):
        return False
    own = read_declaration(kind.declaration, model, kind.inner)
    return bool(getattr(own, "meaning", "") == meaning)


def _tell_apart(publisher: FollowPublisher) -> None:
    """Rows may mean several follows, each by a label of its own; one that means the same replaces the first.

    The first has no addition, and the mixin's always is the first.
    """
    model = publisher.model
    meanings = {
        one.declaration.meaning: one.variant
        for one in publishers()
        if isinstance(one, FollowPublisher) and one.model is model
    }
    if issubclass(model, kinds.FOLLOWS.mixin):
        meanings[read_declaration(FollowDeclaration, model, kinds.FOLLOWS.inner).meaning] = ""
    if meanings:
        publisher.variant = meanings.get(publisher.declaration.meaning, publisher.declaration.meaning)


def _start(publisher: TrackedPublisher) -> None:
    track(publisher)
    for field in publisher.recipient_relations():
        track_relation(publisher, field)
    for related, path, columns in publisher.watched_relations():
        watch(publisher, related, path, columns)
        track_watched(publisher, related, path, columns)
    if publisher.reference_prefix:
        refer_by_prefix(concrete(publisher.model), publisher.reference_prefix)
    show(*publisher.shown_models())
