"""Users, collection entries and reactions as clients send them: their ids and their data."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django_stream.protocol.errors import ApiError, invalid
from django_stream.server.conf import server_settings
from django_stream.server.content import check_values, size_of

TEXT_LENGTH = 255
_WORD = re.compile(r"[\w-]{1,255}", re.ASCII)


def text_id(value: Any, name: str) -> str:
    """An id of 1 to 255 characters; whole numbers become text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise invalid(f"{name} is required and must be text", name)
    if len(value) > TEXT_LENGTH:
        raise invalid(f"{name} may have at most {TEXT_LENGTH} characters", name)
    return value


def listed_id(value: Any, name: str) -> str:
    """An id that can stand in a list of ids: commas end one there."""
    text = text_id(value, name)
    if "," in text:
        raise invalid(f"{name} may hold no comma: {text!r}", name)
    return text


def reaction_id(value: Any, name: str) -> str:
    """An id that can stand in the path of a reaction: one piece of it, and no other endpoint's name."""
    text = listed_id(value, name)
    if "/" in text or text in (".", "..", "get_many"):
        raise invalid(f"{name} may hold no slash, nor be '.', '..' or 'get_many'", name)
    return text


def word_id(value: Any, name: str) -> str:
    """An id of 1 to 255 letters, digits, '_' and '-'."""
    text = text_id(value, name)
    if not _WORD.fullmatch(text):
        raise invalid(f"{name} may hold only letters, digits, '_' and '-', not {text!r}", name)
    return text


def uuid_of(value: Any, name: str) -> uuid.UUID:
    """An id that must be a UUID, of any version."""
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise invalid(f"{name} must be a UUID, not {value!r}", name) from error


def data_of(value: Any, name: str = "data") -> dict[str, Any]:
    """Custom data: an object within STREAM_SERVER_DATA_BYTES_MAX; null and absence are an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{name} must be a JSON object", name)
    check_values(value, name)
    size = size_of(value)
    if size > server_settings.DATA_BYTES_MAX:
        raise invalid(f"{name} may have at most {server_settings.DATA_BYTES_MAX} bytes, not {size}", name)
    return value


def given_data_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Custom data that replace others: without them nothing may be lost, so they have to be given."""
    if fields.get("data") is None:
        raise invalid("data is required: an empty object deletes what is there", "data")
    return data_of(fields["data"])


def missing(what: str, name: str) -> ApiError:
    """The refusal of a call about something that does not exist."""
    return ApiError.named("DoesNotExistException", f"{what} {name!r} does not exist")


def conflicting(what: str, name: str) -> ApiError:
    """The refusal to create something that exists already."""
    return ApiError.named("ConflictException", f"{what} {name!r} exists already")
