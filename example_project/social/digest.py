"""The e-mail of what is new, in the words of the site."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from django_stream.notifications import Digest
from django_stream.notifications.digest import in_words
from example_project.social.models import Follow
from example_project.social.templatetags.social import display_name

WORDS = {"like": "liked your post:", "comment": "commented on your post:"}


class BrookDigest(Digest):
    """People have the names that pages give them; `activity/aggregated/mail_<verb>.html` is the HTML."""

    def entry(self, activity: Any) -> dict[str, Any]:
        told = super().entry(activity)
        newest = activity["activities"][0]
        if isinstance(newest["actor"], User):
            told["actor"] = in_words(display_name(newest["actor"]))
        if isinstance(follow := newest["object"], Follow):
            one, several = (
                ("follows", "follow") if follow.is_accepted else ("asks to follow", "ask to follow")
            )
            told |= {"verb": f"{several if told['others'] else one} you", "object": ""}
        return told | {"verb": WORDS.get(told["verb"], told["verb"])}
