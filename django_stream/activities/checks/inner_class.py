"""System checks of the inner classes that declare follows, reactions and mirrors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error
from django.db import models

from django_stream.activities.checks.messages import not_a_list, unknown_option
from django_stream.activities.checks.paths import is_to_one, not_a_row
from django_stream.activities.checks.values import check_feed_ids, check_values
from django_stream.activities.kinds import TrackedKind
from django_stream.activities.model_references import concrete
from django_stream.activities.options import option_names
from django_stream.activities.paths import Source, broken_segment, field_names, last_field, related_model
from django_stream.protocol.suggestions import did_you_mean


def check_inner_class(
    model: type[models.Model], kind: TrackedKind, given: dict[str, Any]
) -> list[CheckMessage]:
    """Options that do not exist, and paths that lead nowhere or to something that is not one row."""
    valid = option_names(kind.declaration)
    problems = [
        unknown_option(model, kind.inner, name, valid, id="django_stream.E005")
        for name in given
        if name not in valid
    ]
    problems += [*check_values(model, kind, given), *check_feed_ids(model, kind, given)]
    for option in kind.users:
        problems += _check_user(model, f"{kind.inner}.{option}", given.get(option))
    # Values of a dataclass's slots cannot be read from the class: defaults come from an empty declaration.
    defaults = kind.declaration()
    for option in kind.paths:
        value = given.get(option, getattr(defaults, option))
        if option == "to" and isinstance(value, list | tuple):
            continue
        if option in kind.lists and isinstance(value, str):
            problems.append(not_a_list(model, f"{kind.inner}.{option}", value))
        else:
            problems += _check_paths(model, kind, option, _as_paths(value))
    return problems


def _check_user(model: type[models.Model], name: str, path: Any) -> Iterable[CheckMessage]:
    """Whose rows these are must be found by a query: it is asked for all rows of one user."""
    if not isinstance(path, str):
        return
    if broken := broken_segment(model, path):
        yield _leads_nowhere(model, name, *broken)
        return
    end = related_model(model, path)
    if end is None or concrete(end) is not concrete(get_user_model()):
        yield Error(
            f"{model._meta.label}: {name} is '{path}', which leads to no user.",
            hint="Name a foreign key to the user model, or a path of foreign keys that ends in one.",
            obj=model,
            id="django_stream.E023",
        )


def _as_paths(value: Any) -> Iterable[Source]:
    if isinstance(value, list | tuple):
        return [one for one in value if isinstance(one, str) or callable(one)]
    return (value,) if isinstance(value, str) or callable(value) else ()


def _check_paths(
    model: type[models.Model], kind: TrackedKind, option: str, paths: Iterable[Source]
) -> Iterable[CheckMessage]:
    name = f"{kind.inner}.{option}"
    for path in paths:
        if broken := broken_segment(model, path):
            yield _leads_nowhere(model, name, *broken)
        elif option in kind.to_one and kind.publisher.keys_follow_fields and not last_field(model, path):
            yield _not_a_field(model, name, path)
        elif option in kind.to_one and (field := last_field(model, path)) and not is_to_one(field):
            yield not_a_row(model, name, str(path), field)


def _not_a_field(model: type[models.Model], option: str, path: Source) -> CheckMessage:
    return Error(
        f"{model._meta.label}: {option} is {path!r}, and no foreign key by which rows are known.",
        hint="Name a foreign key of this model, a GenericForeignKey, or a path such as 'list.owner'.",
        obj=model,
        id="django_stream.E007",
    )


def _leads_nowhere(
    model: type[models.Model], option: str, where: type[models.Model], name: str
) -> CheckMessage:
    return Error(
        f"{model._meta.label}: {option} names '{name}', which {where._meta.label} does not have.",
        hint=did_you_mean(name, field_names(where)),
        obj=model,
        id="django_stream.E006",
    )
