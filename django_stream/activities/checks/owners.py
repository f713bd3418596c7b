"""A system check of models that name the owners of feeds themselves."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Warning

from django_stream.activities.owners import is_user_model, names_itself


def check_owners(**_: Any) -> list[CheckMessage]:
    """Two models whose rows name themselves could give the same name, and would share their feeds."""
    models = (model for model in apps.get_models() if not model._meta.proxy)
    own = [model for model in models if names_itself(model) and not is_user_model(model)]
    if len(own) < 2:
        return []
    names = " and ".join(model._meta.label for model in own)
    return [
        Warning(
            f"{names} name the feeds of their rows themselves, by `feed_id`.",
            hint="Begin the names of each model with a word of its own, or two rows might share a feed; "
            "then silence this check.",
            obj=own[0],
            id="django_stream.W045",
        )
    ]
