"""Which template renders an activity: from the most specific name to the default."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.template.loader import select_template

logger = logging.getLogger("django_stream.rendering")

# File systems refuse longer names, and nobody writes templates for them.
_LONGEST = 100
_SAFE = re.compile(r"[^\w-]+", re.ASCII)


def template_names(activity: Mapping[str, Any], prefix: str = "") -> list[str]:
    """`activity/[aggregated/][prefix_]verb.html`, then without prefix, then `default.html`, then ours."""
    # Ours has a name of its own, so that the order of the apps does not decide whose is found.
    folder, ours = (
        ("activity/aggregated/", "django_stream/group.html")
        if is_group(activity)
        else ("activity/", "django_stream/activity.html")
    )
    # The verb comes over the wire: it may name a template, never a path.
    verb = _SAFE.sub("_", str(activity.get("verb", ""))).strip("_")[:_LONGEST] or "default"
    names = [f"{folder}{prefix}_{verb}.html"] if prefix else []
    return [*names, f"{folder}{verb}.html", f"{folder}default.html", ours]


def is_group(activity: Mapping[str, Any]) -> bool:
    """Whether this is an entry of an aggregated or notification feed."""
    return "activities" in activity


def render(activity: Mapping[str, Any], context: Mapping[str, Any], prefix: str = "") -> str:
    """The activity's HTML; its template sees `activity` and everything the page sees.

    Anybody may have written the activity, so that an object is a text where the template expects a row:
    what a template fails on is shown by the plain one, or not at all, and the log says why.
    """
    names = template_names(activity, prefix)
    values = {**context, "activity": activity}
    for some in (names, names[-1:]):
        try:
            html: str = select_template(some).render(values, request=context.get("request"))
        except Exception:  # a template may raise whatever the code that it calls does
            logger.exception("activity %r cannot be shown by %s", activity.get("id"), some[0])
        else:
            return html
    return ""
