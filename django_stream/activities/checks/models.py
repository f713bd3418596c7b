"""System checks of tracked models, run by `manage.py check` and before every server start."""

from __future__ import annotations

from django.apps import apps
from django.core.checks import CheckMessage, Warning
from django.db import models

from django_stream.activities import kinds
from django_stream.activities.checks.activity_class import check_activity_options
from django_stream.activities.checks.inner_class import check_inner_class
from django_stream.activities.managers import TrackedQuerySet
from django_stream.activities.mixins import TrackedModel
from django_stream.activities.options import options_of
from django_stream.activities.registry import registered
from django_stream.protocol.suggestions import similar_names

# Most classes inside a model have nothing to do with us: only a name this close is a misspelt one.
_MISSPELT = 0.75


def check_tracked_models(**_: object) -> list[CheckMessage]:
    """All declarations of the project."""
    problems: list[CheckMessage] = []
    for model in apps.get_models():
        if issubclass(model, TrackedModel):
            problems += check_tracked_model(model)
    for model, options in registered().items():
        problems += check_activity_options(model, options)
    return problems


def check_tracked_model(model: type[TrackedModel]) -> list[CheckMessage]:
    """The declarations of one model, for each kind that it is of."""
    problems = [*_check_manager(model), *_check_inner_names(model)]
    for kind in kinds.KINDS:
        if not issubclass(model, kind.mixin):
            continue
        if kind is kinds.ACTIVITIES:
            problems += check_activity_options(model, options_of(model, kind.inner))
        else:
            problems += check_inner_class(model, kind)
    return problems


def _check_inner_names(model: type[models.Model]) -> list[CheckMessage]:
    """A class whose name is nearly that of a declaration is a misspelt one."""
    valid = [kind.inner for kind in kinds.KINDS]
    return [
        Warning(
            f"{model._meta.label} has a class {name} that nothing reads.",
            hint=f"Did you mean 'class {similar[0]}'?",
            obj=model,
            id="django_stream.W041",
        )
        for name, value in vars(model).items()
        if isinstance(value, type)
        and name not in valid
        and (similar := similar_names(name, valid, at_least=_MISSPELT))
    ]


def _check_manager(model: type[TrackedModel]) -> list[CheckMessage]:
    if isinstance(model._default_manager.get_queryset(), TrackedQuerySet):
        return []
    return [
        Warning(
            f"{model._meta.label}: bulk operations of its default manager do not reach the feeds.",
            hint="Derive its queryset from django_stream.models.TrackedQuerySet, "
            "or call django_stream.tracking.republish() after them.",
            obj=model,
            id="django_stream.W040",
        )
    ]
