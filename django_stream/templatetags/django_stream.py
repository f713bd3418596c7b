"""`{% load django_stream %}`: tags that show feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.utils.safestring import SafeString, mark_safe

from django_stream.feeds.enrichment import EnrichedActivity
from django_stream.rendering.templates import render

register = template.Library()


@register.simple_tag(takes_context=True)
def render_activity(
    context: Context, activity: Mapping[str, Any], template_prefix: str = "", missing_data: str = "silent"
) -> SafeString:
    """Render one activity or group by the template of its verb.

    An activity that is not fully enriched renders nothing; with missing_data="render" it is
    rendered all the same, and with "raise" it is refused.
    """
    if isinstance(activity, EnrichedActivity) and not activity.enriched and missing_data != "render":
        if missing_data == "raise":
            raise ValueError(f"activity {activity.get('id')} was not fully enriched: {activity.missing}")
        if settings.DEBUG:
            return mark_safe("<!-- an activity whose rows are gone -->")
        return mark_safe("")
    # Rendered by a template with autoescape, in a copy of the caller's context.
    return mark_safe(render(activity, _flat(context), template_prefix))  # noqa: S308


def _flat(context: Context) -> dict[str, Any]:
    return {str(name): value for name, value in context.flatten().items()}


@register.filter
def author_of(activity: Mapping[str, Any]) -> Any:
    """The actor of an activity, or of the newest one of a group."""
    return activity["activities"][0]["actor"] if "activities" in activity else activity["actor"]
