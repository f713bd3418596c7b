"""For the tests of sites that use django_stream, under unittest as under pytest.

Under Django's test runner and under pytest-django nothing leaves the process: the embedded server
answers in it, and any other backend is refused.
"""

from django_stream.backends import NetworkInTests
from django_stream.testing.kit import (
    CapturedActivity,
    StreamAssertions,
    assert_not_published,
    assert_published,
    captured_activities,
    drain_outbox,
)

__all__ = [
    "CapturedActivity",
    "NetworkInTests",
    "StreamAssertions",
    "assert_not_published",
    "assert_published",
    "captured_activities",
    "drain_outbox",
]
