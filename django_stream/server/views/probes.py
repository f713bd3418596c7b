"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from django_stream.server.feed_store import database
from django_stream.server.models import FanoutJob, MarkJob, ReactionJob, RemovalJob, UnfollowJob

# A job that was not touched for so long has lost its worker.
_STALE = timedelta(minutes=10)


@csrf_exempt
def live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all, by any method."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database is reachable and migrated and the cache works; 503 names what is not."""
    problems = {name: problem for name, check in _CHECKS.items() if (problem := check())}
    if problems:
        return JsonResponse({"status": "unavailable", "problems": problems}, status=503)
    return JsonResponse(
        {
            "status": "ok",
            "stale_fanouts": _stale(FanoutJob),
            "stale_reactions": _stale(ReactionJob),
            "stale_removals": _stale(RemovalJob),
            "stale_marks": _stale(MarkJob),
            "stale_unfollows": _stale(UnfollowJob),
        }
    )


def _stale(model: type[FanoutJob | MarkJob | ReactionJob | RemovalJob | UnfollowJob]) -> int:
    oldest = timezone.now() - _STALE
    return model._default_manager.using(database()).filter(touched_at__lt=oldest).count()


def _check_database() -> str:
    try:
        executor = MigrationExecutor(connections[database()])
        pending = executor.migration_plan(
            [node for node in executor.loader.graph.leaf_nodes() if node[0] == "django_stream_server"]
        )
    except DatabaseError as error:
        return f"unreachable: {type(error).__name__}"
    return f"{len(pending)} migrations are not applied" if pending else ""


def _check_cache() -> str:
    try:
        cache.set("django_stream:ready", 1, timeout=5)
        return "" if cache.get("django_stream:ready") == 1 else "does not keep what it is given"
    except Exception as error:  # each cache backend has errors of its own
        return f"unreachable: {type(error).__name__}"


_CHECKS = {"database": _check_database, "cache": _check_cache}
