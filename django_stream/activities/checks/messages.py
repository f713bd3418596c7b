"""Messages that checks of several kinds of declarations have in common."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error
from django.db import models

from django_stream.protocol.suggestions import did_you_mean


def unknown_option(
    model: type[models.Model], inner: str, name: str, valid: list[str], *, id: str
) -> CheckMessage:
    """An inner class has an option that does not exist."""
    return Error(
        f"{model._meta.label}: class {inner} has no option '{name}'.",
        hint=did_you_mean(name, valid),
        obj=model,
        id=id,
    )


def not_a_list(model: type[models.Model], option: str, value: str) -> CheckMessage:
    """A text stands where a list of names belongs, and its letters would be taken for names."""
    return Error(
        f"{model._meta.label}: {option} is the text {value!r}.",
        hint=f"It must be a list: [{value!r}].",
        obj=model,
        id="django_stream.E003",
    )
