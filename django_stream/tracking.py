"""Saying what is published, and when. Importable anywhere, at the top of apps.py too; call in `ready()`."""

from typing import TYPE_CHECKING

from django_stream.lazy import lazy_exports

__all__ = [
    "Reason",
    "activities_paused",
    "drain",
    "explain",
    "record",
    "register",
    "register_blocks",
    "register_collection",
    "register_follows",
    "register_mutes",
    "register_reactions",
    "register_users",
    "register_visibility",
    "republish",
    "retract",
    "show",
]

if TYPE_CHECKING:
    from django_stream.activities.recorded import record, retract
    from django_stream.activities.registry import (
        register,
        register_collection,
        register_follows,
        register_reactions,
        register_users,
        show,
    )
    from django_stream.activities.relations import register_blocks, register_mutes
    from django_stream.activities.visibility import register_visibility
    from django_stream.operations.explain import Reason, explain
    from django_stream.publishing.backfill import republish
    from django_stream.publishing.drain import drain
    from django_stream.publishing.outbox import activities_paused
else:
    __getattr__ = lazy_exports(
        __name__,
        __all__,
        [
            "django_stream.activities.registry",
            "django_stream.activities.recorded",
            "django_stream.activities.relations",
            "django_stream.activities.visibility",
            "django_stream.operations.explain",
            "django_stream.publishing.backfill",
            "django_stream.publishing.drain",
            "django_stream.publishing.outbox",
        ],
    )
