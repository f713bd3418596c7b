"""System checks of the types of settings, and the settings without those that are wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from django.core.checks import CheckMessage, Error

from django_stream.conf import PREFIX, StreamSettings, stream_settings


class SoundSettings(StreamSettings):
    """Defaults stand in place of settings that have the wrong type, so that the others can be checked."""

    def __init__(self, wrong: Collection[str]) -> None:
        self._wrong = wrong

    def __getattribute__(self, name: str) -> Any:
        if name.isupper() and name in self._wrong:
            return getattr(StreamSettings, name)
        return super().__getattribute__(name)


def wrong_types() -> dict[str, CheckMessage]:
    """Settings of another type than theirs, by name."""
    return {
        name: _wrong_type(name, value, annotation)
        for name, annotation in get_type_hints(StreamSettings).items()
        if not _is_a(value := getattr(stream_settings, name), annotation)
    }


def _is_a(value: object, annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is UnionType:
        return any(_is_a(value, one) for one in get_args(annotation))
    if origin is Literal:
        return value in get_args(annotation)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(isinstance(one, str) for one in (*value, *value.values()))
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    if isinstance(value, bool):
        return annotation is bool
    return isinstance(value, (int, float) if annotation is float else annotation)


def _wrong_type(name: str, value: object, annotation: Any) -> CheckMessage:
    if get_origin(annotation) is Literal:
        choices = ", ".join(map(repr, get_args(annotation)))
        return _refused(name, value, f"Use one of {choices}.", "django_stream.E017")
    if name == "NEWS_FEEDS" and isinstance(value, str):
        return Error(
            f"{PREFIX}{name} is the text {value!r}.",
            hint=f"It must be a list or a tuple: ({value!r},).",
            id="django_stream.E018",
        )
    return _refused(name, value, f"Give a value of type {_in_words(annotation)}.", "django_stream.E014")


def _refused(name: str, value: object, hint: str, id_: str) -> CheckMessage:
    return Error(f"{PREFIX}{name} is {value!r}.", hint=hint, id=id_)


def _in_words(annotation: Any) -> str:
    """`float`, `str or None`, `list of texts`."""
    if get_origin(annotation) is UnionType:
        return " or ".join(_in_words(one) for one in get_args(annotation))
    named = {type(None): "None", Mapping: "dict of texts", Sequence: "list of texts"}
    kind = get_origin(annotation) or annotation
    return named.get(kind, getattr(kind, "__name__", str(kind)))
