"""A system check of the kinds of reactions that the JSON API makes and deletes."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error

from django_stream.activities.model_references import concrete
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.conf import stream_settings
from django_stream.publishing.publisher import publishers


def check_api_reactions(**_: object) -> list[CheckMessage]:
    """Kinds of STREAM_API_REACTIONS whose rows do not tell by a key who reacts."""
    kinds = stream_settings.API_REACTIONS
    named = [one for one in publishers() if isinstance(one, ReactionPublisher) and one.reaction_kind in kinds]
    return [problem for one in named for problem in _of_one(one)]


def _of_one(publisher: ReactionPublisher) -> list[CheckMessage]:
    if publisher.key_to_user(concrete(get_user_model())) is None:
        return [
            Error(
                f"STREAM_API_REACTIONS names {publisher.reaction_kind!r}, and `user` in the class Reaction "
                f"of {publisher.model._meta.label} is no foreign key to the user model: requests cannot tell "
                "whose reactions are whose.",
                hint="Let `user` name a foreign key to the user model, or take the kind out of the setting.",
                obj=publisher.model,
                id="django_stream.E081",
            )
        ]
    return []
