"""Read replicas of PostgreSQL: pages are read from them, and everybody finds what they wrote themselves."""

from __future__ import annotations

from django_stream.database.replicas.middleware import replica_middleware
from django_stream.database.replicas.reading import mark_written
from django_stream.database.replicas.router import ReplicaRouter

__all__ = ["ReplicaRouter", "mark_written", "replica_middleware"]
