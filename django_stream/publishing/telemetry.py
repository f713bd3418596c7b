"""Spans around the work of a drain, where OpenTelemetry is installed (extra `opentelemetry`)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def span(name: str, **attributes: Any) -> AbstractContextManager[Any]:
    """A span of the current tracer, or nothing at all."""
    tracer = _tracer()
    if tracer is None:
        return nullcontext()
    manager: AbstractContextManager[Any] = tracer.start_as_current_span(
        name, attributes={f"django_stream.{key}": value for key, value in attributes.items()}
    )
    return manager


@lru_cache(maxsize=1)
def _tracer() -> Any:
    if find_spec("opentelemetry") is None:
        return None
    return import_module("opentelemetry.trace").get_tracer("django_stream")
