"""Triggers and `migrate`: they stand aside while tables change, and are as declared afterwards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError, connections
from django.db.models.signals import post_migrate, pre_migrate

from django_stream.conf import stream_settings
from django_stream.database.triggers import installing
from django_stream.publishing import capture
from django_stream.publishing.publisher import publishers

logger = logging.getLogger("django_stream.publishing")


def follow_migrations(app: AppConfig) -> None:
    """Receive the signals of `migrate`, once for each database."""
    pre_migrate.connect(_before, sender=app, dispatch_uid="django_stream.triggers.before")
    post_migrate.connect(_after, sender=app, dispatch_uid="django_stream.triggers.after")


def _before(app_config: AppConfig, using: str, plan: Sequence[Any] = (), **_: Any) -> None:
    """A trigger may name columns that are about to go; and SQLite renames no table of which one speaks."""
    if not _is_ours(using):
        return
    moved = {migration.app_label for migration, _backwards in plan}
    concerned = {one.model._meta.app_label for one in publishers() if capture.wants_capture(one)}
    if moved & {app_config.label, *concerned} or (moved and connections[using].vendor == "sqlite"):
        capture.remove(using)


def _after(using: str, **_: Any) -> None:
    if not _is_ours(using):
        return
    try:
        if any(map(capture.wants_capture, publishers())) and capture.is_possible(using):
            capture.reconcile(using)
        else:
            capture.remove(using)
    except (DatabaseError, TypeError) as error:
        logger.error(
            "the triggers that note changes are not in place, and signals do it meanwhile: %s. "
            "Run `manage.py stream_triggers install --database %s` when that is mended.",
            error,
            using,
        )


def _is_ours(using: str) -> bool:
    return stream_settings.TRIGGERS_WITH_MIGRATE and installing.supports_triggers(using)
