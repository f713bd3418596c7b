"""A view for monitors: is the outbox keeping up?"""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from django_stream.conf import stream_settings
from django_stream.publishing.status import outbox_status


@never_cache
@require_safe
def outbox_health(request: HttpRequest, using: str = "default") -> JsonResponse:
    """200 while the oldest waiting change is younger than STREAM_OUTBOX_ALARM_SECONDS, else 503.

    The answer holds numbers only; decide in your URLs who may ask. `using` is a database alias.
    """
    state = outbox_status(using)
    late = state.oldest_seconds > stream_settings.OUTBOX_ALARM_SECONDS
    return JsonResponse({"late": late, **asdict(state)}, status=503 if late else 200)


health = outbox_health
"""The name under which URLs of sites import it."""
