"""What `enrich/` adds to activities on their way out."""

from __future__ import annotations

from typing import Any

from django_stream.server.call import Call
from django_stream.server.enrichment import answers
from django_stream.server.enrichment.wanted import Wanted


def enriched(call: Call, activities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The activities of one answer, with references and reactions filled in.

    Called once an answer, with every activity of it, groups included.
    """
    if not call.enriched:
        return activities
    return answers.enriched(call.application_id, activities, Wanted.by(call))
