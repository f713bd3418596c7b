"""Feed ids: `slug:user_id` on the wire, `sluguser_id` (packed) in tokens and channels."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[\w-]+", re.ASCII)


def _valid(value: object, what: str) -> str:
    text = str(value)
    if not _WORD.fullmatch(text):
        raise ValueError(f"{what} {text!r} may hold only letters, digits, '_' and '-', and must not be empty")
    return text


def validate_feed_slug(feed_slug: object) -> str:
    """Return the slug as text, or raise ValueError that names it."""
    return _valid(feed_slug, "feed slug")


def validate_user_id(user_id: object) -> str:
    """Return the feed's user id as text, or raise ValueError that names it."""
    return _valid(user_id, "feed user id")


def validate_feed_id(feed_id: object) -> str:
    """Return a feed id such as 'user:1' unchanged, or raise ValueError."""
    return str(FeedID.parse(feed_id))


@dataclass(frozen=True, slots=True, order=True)
class FeedID:
    """A feed's name: the group's slug and the user id inside it."""

    slug: str
    user_id: str

    @classmethod
    def parse(cls, value: object) -> FeedID:
        """Read `slug:user_id`; what follows the first blank (a legacy token) is ignored."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise ValueError(f"feed id {value!r} must be text of the form 'slug:user_id'")
        slug, colon, user_id = value.partition(" ")[0].partition(":")
        if not colon:
            raise ValueError(f"feed id {value!r} must have the form 'slug:user_id'")
        return cls(validate_feed_slug(slug), validate_user_id(user_id))

    @property
    def packed(self) -> str:
        """The form in tokens: slug and user id without the colon."""
        return self.slug + self.user_id

    def __str__(self) -> str:
        return f"{self.slug}:{self.user_id}"


def slug_of(feed_id: str) -> str:
    """The group of a feed id that is known to be one: reading it as text only is far quicker."""
    return feed_id.partition(":")[0]
