"""Who is meant, and by what names the feeds know them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError, ValidationError
from django.db import models

from django_stream.activities.ids import pk_text
from django_stream.activities.model_references import clean_pk, label_reference_of, reference_of
from django_stream.activities.owners import owner_id, owner_id_of, owner_model, user_id_of
from django_stream.activities.registry import declared_feeds
from django_stream.conf import stream_settings
from django_stream.database.querysets import all_rows
from django_stream.protocol.persons import Person
from django_stream.protocol.references import user_reference

_SHORTEST_WORD = 3


class UnknownPerson(ValueError):
    """Nobody, or more than one person, is meant."""


def person_of(text: str, using: str, groups: Iterable[str] = ()) -> Person:
    """The user of a key, of a name, or of `FIELD=VALUE`; of a key also one whose row is gone.

    Their feeds are those of the groups that the site declares to be of users, and of these groups.
    """
    person = _meant(text, using)
    return replace(person, feeds=person.feeds | {f"{one}:{key}" for one in groups for key in person.user_ids})


def _meant(text: str, using: str) -> Person:
    users: type[models.Model] = get_user_model()
    rows = all_rows(users, using)
    field, is_field, value = text.partition("=")
    if is_field:
        found = _found(rows, {field: value}, text)
    else:
        pk = clean_pk(users, text)
        found = [] if pk is None else _found(rows, {"pk": pk}, text)
        named = _found(rows, {users.USERNAME_FIELD: text}, text)  # type: ignore[attr-defined]
        found += [one for one in named if one not in found]
        if not found and pk is not None:
            return _gone(users, pk)
    if len(found) != 1:
        many = "nobody" if not found else f"{len(found)} users"
        raise UnknownPerson(f"{text!r} is {many}: give a key, a user name, or FIELD=VALUE such as pk=1")
    return _there(found[0])


def _found(rows: models.QuerySet[Any], wanted: dict[str, Any], text: str) -> list[Any]:
    try:
        return list(rows.filter(**wanted)[:2])
    except (FieldError, ValueError, TypeError, ValidationError) as error:
        raise UnknownPerson(f"{text!r}: {error}") from error


def _there(row: Any) -> Person:
    ids = frozenset({str(owner_id(row)), str(user_id_of(row))})
    references = {reference_of(row), label_reference_of(row), *map(user_reference, ids)}
    return Person(ids, frozenset(references), _feeds(ids), frozenset(_words(row)))


def _gone(users: type[models.Model], pk: Any) -> Person:
    ids = frozenset({str(owner_id_of(users, pk))})
    references = {f"{owner_model(users)._meta.label}:{pk_text(pk)}", *map(user_reference, ids)}
    return Person(ids, frozenset(references), _feeds(ids))


def _feeds(ids: frozenset[str]) -> frozenset[str]:
    slugs = {stream_settings.USER_FEED, *stream_settings.news_feeds.values()}
    slugs |= {stream_settings.NOTIFICATION_FEED, *(slug for _, slug in declared_feeds())}
    return frozenset(f"{slug}:{one}" for slug in slugs for one in ids)


def _words(row: Any) -> Iterator[str]:
    """Texts of the user's own columns: names and addresses, no passwords and no choices."""
    full_name = getattr(row, "get_full_name", str)()
    texts = [full_name] + [
        getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not (field.choices or field.name == "password" or field.is_relation or field.primary_key)
    ]
    yield from (text for text in texts if isinstance(text, str) and len(text) >= _SHORTEST_WORD)
