"""`{% load django_stream %}`: tags that show feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from django_stream.feeds.enrichment import EnrichedActivity
from django_stream.rendering.templates import render

register = template.Library()


@register.simple_tag(takes_context=True)
def render_activity(
    context: Context, activity: Any, template_prefix: str = "", missing_data: str = "silent"
) -> SafeString:
    """Render one activity or group by the template of its verb.

    `missing_data` says what happens to an activity whose rows are gone: "silent" renders nothing when
    actor or object is missing, "render" renders what is left, "raise" raises ValueError for any missing
    field. A variable that the page does not have renders nothing, as everywhere in templates.
    """
    if activity is None or activity == "":
        return _nothing("a variable that this page does not have")
    if not isinstance(activity, Mapping):
        raise TypeError(
            "{% render_activity %} shows an activity or a group of a feed's page, "
            f"and this is a value of type {type(activity).__name__}"
        )
    if isinstance(activity, EnrichedActivity):
        if missing_data == "raise" and not activity.enriched:
            raise ValueError(f"activity {activity.get('id')} was not fully enriched: {activity.missing}")
        if missing_data != "render" and not activity.can_be_shown:
            return _nothing("an activity whose rows are gone")
    # Rendered by a template with autoescape, in a copy of the caller's context.
    return mark_safe(render(activity, _flat(context), template_prefix))  # noqa: S308


def _nothing(reason: str) -> SafeString:
    """No HTML; while DEBUG is on, a comment that says why."""
    return format_html("<!-- render_activity: {} -->", reason) if settings.DEBUG else SafeString()


def _flat(context: Context) -> dict[str, Any]:
    return {str(name): value for name, value in context.flatten().items()}


@register.filter
def author_of(activity: Any) -> Any:
    """The actor of an activity, or of the newest one of a group."""
    if not isinstance(activity, Mapping):
        return ""  # a filter never fails on what a page does not have
    return activity["activities"][0]["actor"] if "activities" in activity else activity["actor"]
