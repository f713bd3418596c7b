"""Fixtures of the tests of locks."""

from tests.db.publishing.conftest import clock, row_locks

__all__ = ["clock", "row_locks"]
