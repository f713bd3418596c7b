"""Two homes side by side, before the site is switched over: do their pages say the same?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from django.contrib.auth import get_user_model

from django_stream.activities.owners import feed_id
from django_stream.client import StreamClient
from django_stream.client.exceptions import FeedConfigException
from django_stream.client.shadow import differences
from django_stream.conf import stream_settings
from django_stream.database.querysets import all_rows
from django_stream.moving.homes import slugs_of
from django_stream.moving.tables import in_steps
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID


def compared(
    here: StreamClient, there: StreamClient, using: str, named: Sequence[str], sample: int | None
) -> Iterator[tuple[FeedID, list[str]]]:
    """Each feed, with what differs on its newest page; of all users, or of so many of them."""
    slugs, feeds = slugs_of(named)
    own = (stream_settings.USER_FEED, stream_settings.NOTIFICATION_FEED)
    every = list(dict.fromkeys([*own, *stream_settings.news_feeds.values(), *slugs]))
    for name in feeds:
        yield name, _compared(here, there, name)
    for user in islice(_users(using), sample):
        for slug in every:
            name = feed_id(slug, user)
            yield name, _compared(here, there, name)


def _users(using: str) -> Iterator[object]:
    for users in in_steps(all_rows(get_user_model(), using), "pk"):
        yield from users


def _compared(here: StreamClient, there: StreamClient, name: FeedID) -> list[str]:
    pages = []
    for client in (here, there):
        try:
            pages.append(client.feed(name.slug, name.user_id).get(limit=limits.PAGE_MAX))
        except FeedConfigException:
            return [f"the group {name.slug} is not in both homes"]
    found = differences(*pages)
    follows = [
        {
            one["target_id"]
            for one in client.feed(name.slug, name.user_id).following(limit=limits.FOLLOW_PAGE_MAX)["results"]
        }
        for client in (here, there)
    ]
    if follows[0] != follows[1]:
        found.append(f"{len(follows[0])} follows here and {len(follows[1])} there, which are not the same")
    return found
