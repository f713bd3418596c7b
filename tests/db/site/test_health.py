"""Monitors see how the outbox is doing, by a view, by metrics and by traces."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from django_stream.api import outbox_health
from django_stream.metrics import register_metrics
from django_stream.models import OutboxEntry
from django_stream.publishing.models import never
from django_stream.publishing.status import OutboxStatus, outbox_status
from django_stream.tracking import drain
from tests.extras import needs
from tests.testapp.models import Tag

pytestmark = pytest.mark.django_db


def test_an_empty_outbox_is_healthy(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert outbox_status() == OutboxStatus(depth=0, oldest_seconds=0.0, retrying=0, parked=0)


def test_the_view_tells_numbers_and_raises_the_alarm(ada: User) -> None:
    Tag.objects.create(name="waits", user=ada)
    Tag.objects.create(name="parked", user=ada)
    OutboxEntry.objects.filter(object_key="parked").update(
        parked_at=timezone.now(), due_at=never(), attempts=3
    )
    request = RequestFactory().get("/")

    assert outbox_health(request).status_code == 200

    OutboxEntry.objects.update(created_at=timezone.now() - timedelta(hours=1))
    answer = outbox_health(request)
    assert answer.status_code == 503
    assert b'"late": true' in answer.content
    assert b'"depth": 1' in answer.content
    assert b'"parked": 1' in answer.content


@needs("prometheus")
def test_metrics_are_read_when_they_are_asked_for(ada: User) -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    register_metrics(registry)
    Tag.objects.create(name="waits", user=ada)
    assert 'django_stream_outbox_depth{database="default"} 1.0' in generate_latest(registry).decode()

    drain()

    text = generate_latest(registry).decode()
    assert 'django_stream_outbox_depth{database="default"} 0.0' in text
    assert 'django_stream_changes_total{model="testapp.Tag",outcome="published"} 1.0' in text


@pytest.fixture
def spans() -> Iterator[Any]:
    """What this process traces. A process has one provider for its lifetime."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    yield exporter
    provider.shutdown()


@needs("opentelemetry")
def test_a_drain_leaves_a_span(ada: User, spans: Any) -> None:
    Tag.objects.create(name="t", user=ada)

    drain()

    (span,) = spans.get_finished_spans()
    assert span.name == "publish"
    assert dict(span.attributes or {}) == {"django_stream.model": "testapp.Tag", "django_stream.objects": 1}
