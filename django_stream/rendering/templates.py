"""Which template renders an activity: from the most specific name to the default."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.template.loader import select_template

from django_stream.database.failures import spoils_the_rest
from django_stream.protocol.wire import is_group

logger = logging.getLogger("django_stream.rendering")

# File systems refuse longer names, and nobody writes templates for them.
_LONGEST = 100
_A_NAME = re.compile(rf"[^\\/:\x00-\x1f]{{1,{_LONGEST}}}")
# Django keeps each name that it has looked for in vain, and anybody may invent verbs.
_MOST_NAMES = 5_000
_looked_for: set[str] = set()
_SAFE = re.compile(r"[^\w-]+", re.ASCII)


class MissingDataException(ValueError):
    """An activity is to be rendered whose rows are gone, and the tag was told to fail."""


def template_names(activity: Mapping[str, Any], prefix: str = "") -> list[str]:
    """`activity/[aggregated/][prefix_]verb.html`, then without prefix, then `default.html`, then ours.

    A verb such as "went to" is looked for as it is written, and as `went_to`.
    """
    # Ours has a name of its own, so that the order of the apps does not decide whose is found.
    folder, ours = (
        ("activity/aggregated/", "django_stream/group.html")
        if is_group(activity)
        else ("activity/", "django_stream/activity.html")
    )
    # The verb comes over the wire: it may name a template, never a path.
    written = str(activity.get("verb", ""))
    verbs = [_SAFE.sub("_", written).strip("_")[:_LONGEST] or "default"]
    if _A_NAME.fullmatch(written) and ".." not in written and written != verbs[0]:
        verbs.insert(0, written)
    names = [f"{folder}{prefix}_{verb}.html" for verb in verbs] if prefix else []
    return [*names, *(f"{folder}{verb}.html" for verb in verbs), f"{folder}default.html", ours]


def render(activity: Mapping[str, Any], context: Mapping[str, Any], prefix: str = "") -> str:
    """The activity's HTML; its template sees `activity` and everything the page sees.

    Anybody may have written the activity, so that an object is a text where the template expects a row:
    what a template fails on is shown by the plain one, or not at all, and the log says why.
    """
    names = template_names(activity, prefix)
    _note(names)
    values = {**context, "activity": activity}
    for some in (names, names[-1:]):
        try:
            html: str = select_template(some).render(values, request=context.get("request"))
        except Exception as error:  # a template may raise whatever the code that it calls does
            if spoils_the_rest(error):
                raise
            logger.exception("activity %r cannot be shown by %s", activity.get("id"), some[0])
        else:
            return html
    return ""


def _note(names: Sequence[str]) -> None:
    """Have templates looked for anew after so many names: those that are there are soon found again."""
    _looked_for.update(names)
    if len(_looked_for) <= _MOST_NAMES:
        return
    _looked_for.clear()
    for backend in engines.all():
        for loader in backend.engine.template_loaders if isinstance(backend, DjangoTemplates) else ():
            loader.reset()
