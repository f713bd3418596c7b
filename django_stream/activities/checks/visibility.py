"""System checks of `visible_to`: misread, it would show everything to everybody."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error

from django_stream.activities.kinds import kinds_of
from django_stream.activities.visibility import registered_visibility


def check_visibility(**_: object) -> list[CheckMessage]:
    """Those of tracked models and of calls; other models may have methods of this name."""
    problems: list[CheckMessage] = []
    for model in apps.get_models():
        if not kinds_of(model):
            continue
        own = inspect.getattr_static(model, "visible_to", None)
        if inspect.isfunction(own):
            problems.append(
                _refused(f"{model._meta.label}.visible_to is a method of rows", "Put @staticmethod above it.")
            )
        elif isinstance(own, staticmethod | classmethod):
            problems += _check_arguments(f"{model._meta.label}.visible_to", own.__get__(None, model))
    for model, function in registered_visibility():
        problems += _check_arguments(f"What register_visibility got for {model._meta.label}", function)
    return problems


def _check_arguments(name: str, function: Callable[..., Any]) -> list[CheckMessage]:
    try:
        inspect.signature(function).bind("viewer", "rows")
    except TypeError:
        hint = "It is called with a viewer and a queryset: visible_to(viewer, rows)."
        return [_refused(f"{name} does not take two arguments", hint)]
    except ValueError:  # of some built-in functions, nobody knows
        return []
    return []


def _refused(what: str, hint: str) -> CheckMessage:
    told = f"{what}, and pages cannot ask it which rows a viewer may see."
    return Error(told, hint=hint, id="django_stream.E080")
