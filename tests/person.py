"""Somebody who has done everything, and where her words are found: for tests of exports and erasures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.storage import Storage
from django.db import connections

from django_stream.backends import get_client
from django_stream.server import models as server
from django_stream.testing import drain_outbox
from django_stream.tracking import record
from tests.testapp.models import Album, Article, Comment, Opinion, Subscription
from tests.uploads import names

KEY = 7070707
# Of others, explicitly: what a database counts up from keys that were given may have that number inside.
ADA, GRACE = 31, 32
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
WORDS = ("wanda", "quillfeather", "zebra", str(KEY))
"""In everything that is hers, and in nothing else."""


def somebody_who_did_everything() -> User:
    """Somebody who has done everything that can be done, and others who had to do with her."""
    client = get_client()
    stream = client.streams.create(object_types=["activity", "reaction", "user", "follow", "feed", "file"])
    wanda = User.objects.create(
        pk=KEY, username="wanda", first_name="Wanda", last_name="Quillfeather", email="w@quillfeather.example"
    )
    ada, grace = User.objects.create(pk=ADA, username="ada"), User.objects.create(pk=GRACE, username="grace")
    hers = Article.objects.create(author=wanda, editor=ada, title="My zebra", published_at=START)
    hers.mentioned.add(grace)
    of_ada = Article.objects.create(author=ada, title="Rain", published_at=START)
    of_ada.mentioned.add(wanda, grace)
    Article.objects.create(author=ada, editor=wanda, title="Snow", published_at=START)
    Comment.objects.create(user=wanda, article=of_ada, text="A zebra", created_at=START)
    Opinion.objects.create(user=wanda, article=of_ada, text="zebra!")
    Opinion.objects.create(user=grace, article=hers, text="nice")
    Album.objects.create(owner=wanda, title="Zebra songs")
    for reader, writer in ((wanda, ada), (grace, wanda), (grace, ada)):
        Subscription.objects.create(reader=reader, writer=writer)
    drain_outbox()
    record(actor=wanda, verb="win", extra={"prize": "zebra"})
    record(actor=ada, verb="greet", object=wanda)
    record(actor=grace, verb="shout", to=[wanda, ada])
    drain_outbox()
    client.users.add(str(KEY), {"name": "Wanda Quillfeather"})
    as_wanda = client.as_user(KEY)
    as_wanda.files.upload(b"a zebra of wanda", name="zebra.txt")
    client.collections.add("notes", {"text": "zebra"}, id="n1", user_id=str(KEY))
    client.moderation.flag("stream:feeds:v2:activity", "some-id", str(KEY), reason="a zebra")
    gone = client.reactions.add("like", activity_of(of_ada)["id"], str(KEY), data={"why": "zebra"})
    client.reactions.delete(gone["id"], soft=True)
    hook = server.StreamWebhook.objects.create(
        stream=server.AppStream.objects.get(pk=stream["id"]), url="https://example.org/"
    )
    server.DeadLetter.objects.create(
        webhook=hook, first_position=1, last_position=2, body='{"actor": "auth.User:7070707"}', error="500"
    )
    # Groups are made when somebody reads.
    for slug in ("notification", "timeline_aggregated"):
        for user in (wanda, ada, grace):
            client.feed(slug, user.pk).get(
                limit=10, **({"mark_seen": True} if slug == "notification" else {})
            )
    return wanda


def activity_of(article: Article) -> Any:
    found = get_client().feed("user", article.author_id).get(limit=100)["results"]
    return next(one for one in found if one["foreign_id"] == f"testapp.Article:{article.pk}")


def cells(alias: str = "default") -> Iterator[tuple[str, str]]:
    """Every value of every table, whatever its type and whoever made the table: (table, text)."""
    with connections[alias].cursor() as cursor:
        for table in connections[alias].introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connections[alias].ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    yield table, str(value)


def found(storage: Storage) -> set[str]:
    """Tables, files and cache entries with any of her words."""
    places = {table for table, text in cells() if any(word in text.lower() for word in WORDS)}
    for name in names(storage):
        with storage.open(name) as file:
            content = file.read().decode(errors="ignore")
        if any(word in f"{name} {content}".lower() for word in WORDS):
            places.add("storage")
    entries = getattr(cache, "_cache", {})
    if any(word in f"{key} {value}".lower() for key, value in entries.items() for word in WORDS):
        places.add("cache")
    return places
