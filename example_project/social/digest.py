"""The e-mail of what is new, in the words of the site."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from django_stream.notifications import Digest
from example_project.social.models import Follow
from example_project.social.templatetags.social import display_name

WORDS = {"like": "liked your post:", "comment": "commented on your post:"}


class BrookDigest(Digest):
    """The text; `activity/aggregated/mail_<verb>.html` is the HTML."""

    def name_of(self, value: Any) -> str:
        return display_name(value) if isinstance(value, User) else super().name_of(value)

    def entry(self, activity: Any) -> dict[str, Any]:
        told = super().entry(activity)
        follow = activity["activities"][0]["object"]
        if isinstance(follow, Follow):
            ending = "" if told["others"] else "s"
            verb = f"follow{ending} you" if follow.is_accepted else f"ask{ending} to follow you"
            return told | {"verb": verb, "object": ""}
        return told | {"verb": WORDS.get(told["verb"], told["verb"])}
