"""Aggregation formats: the Jinja2 text that names an activity's group."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django_stream.protocol.errors import ApiError
from django_stream.server.extras import MissingExtra
from django_stream.server.feed_groups import DEFAULT_FORMAT

if TYPE_CHECKING:
    from jinja2 import Template

# What the database stores and indexes; a longer name says the same with its first characters.
NAME_LENGTH = 255


def group_name(format_text: str, fields: Mapping[str, Any]) -> str:
    """The group of an activity.

    Whatever is wrong with a format never stops a write: it gives the empty name, and reads of
    the feed are refused by `check_format`.
    """
    if format_text == DEFAULT_FORMAT:
        return f"{fields['verb']}_{fields['time']:%Y-%m-%d}"[:NAME_LENGTH]
    try:
        # Generated piece by piece, so that a runaway format stops at the length of a name.
        name = ""
        for piece in _template(format_text).generate(fields):
            name += piece
            if len(name) >= NAME_LENGTH:
                break
    except Exception:  # a template may raise anything that an expression can
        return ""
    return name[:NAME_LENGTH].replace("\0", "")


def check_format(format_text: str) -> None:
    """Refuse with code 14 when a format is broken."""
    if format_text == DEFAULT_FORMAT:
        return
    import_jinja()
    try:
        _template(format_text)
    except Exception as error:
        raise ApiError.named("JinjaRuntimeException", "the format contains syntax errors") from error


def import_jinja() -> Any:
    """The optional library, or an error that names the extra."""
    try:
        from jinja2 import sandbox
    except ImportError as error:
        raise MissingExtra("aggregation formats need Jinja2", "aggregation") from error
    return sandbox


@lru_cache(maxsize=128)
def _template(format_text: str) -> Template:
    from jinja2 import ChainableUndefined, TemplateSyntaxError, nodes

    environment = import_jinja().ImmutableSandboxedEnvironment(undefined=ChainableUndefined)
    for subscript in environment.parse(format_text).find_all(nodes.Getitem):
        # Jinja reads `test[]` as an empty tuple between the brackets; the wire calls it broken.
        if isinstance(subscript.arg, nodes.Tuple) and not subscript.arg.items:
            raise TemplateSyntaxError("a subscript needs a key", subscript.lineno)
    template: Template = environment.from_string(format_text)
    return template
