"""Who may call what: one row for each endpoint, written down apart from the server's own table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.calling import Api

SERVERS, OWNERS, ANYONE = "server tokens only", "users for what is theirs", "every user"

REACTION, COLLECTION, TIME = "r1", "food", "2026-01-01T00:00:00"
ACTIVITY = {"actor": "SU:ann", "verb": "v", "object": "o", "foreign_id": "a", "time": TIME}
FILE = {"url": "{file}"}
PLACEHOLDERS = {
    "{target}": "user:bob",
    "{item...}": "x",
    "{user}": "ann",
    "{user...}": "ann",
    "{reaction}": REACTION,
    "{lookup}": "user_id",
    "{value}": "ann",
    "{kind...}": "like",
    "{collection}": COLLECTION,
    "{entry}": "e1",
    "{stream}": "indexer",
    "{filter}": "1",
}


@dataclass(frozen=True)
class Row:
    """An endpoint, the resource that a server token must name, and what user tokens may do there.

    The request is about a feed, a reaction, an entry, a file or the user `ann`, or in her name.
    """

    method: str
    pattern: str
    resource: str
    users: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    feed: str = "user:ann"

    def __str__(self) -> str:
        return f"{self.method} {self.pattern}"

    @property
    def path(self) -> str:
        path = self.pattern.replace("{feed}", self.feed.replace(":", "/"))
        for placeholder, value in PLACEHOLDERS.items():
            path = path.replace(placeholder, value)
        return path

    @property
    def has_feed(self) -> bool:
        return "{feed}" in self.pattern

    @property
    def action(self) -> str:
        return {"GET": "read", "POST": "write", "PUT": "write", "DELETE": "delete"}[self.method]


ROWS = [
    Row("POST", "feed/add_to_many", "feed", SERVERS),
    # User feeds are everybody's to read, and nobody else's in any other way.
    Row("GET", "feed/{feed}", "feed", OWNERS, feed="timeline:ann"),
    Row("POST", "feed/{feed}", "feed", OWNERS, ACTIVITY),
    Row("DELETE", "feed/{feed}/{item...}", "feed", OWNERS),
    Row("POST", "feed_targets/{feed}/activity_to_targets", "feed_targets", OWNERS),
    Row("GET", "feed/{feed}/followers", "follower", OWNERS),
    Row("GET", "feed/{feed}/follows", "follower", OWNERS),
    Row("POST", "feed/{feed}/follows", "follower", OWNERS, {"target": "user:bob"}),
    Row("DELETE", "feed/{feed}/follows/{target}", "follower", OWNERS),
    Row("GET", "feed/{feed}/following", "follower", OWNERS),
    Row("POST", "feed/{feed}/following", "follower", OWNERS, {"target": "user:bob"}),
    Row("DELETE", "feed/{feed}/following/{target}", "follower", OWNERS),
    Row("POST", "follow_many", "follower", SERVERS),
    Row("POST", "unfollow_many", "follower", SERVERS),
    Row("GET", "stats/follow", "follower", ANYONE),
    Row("GET", "activities", "activities", ANYONE),
    Row("POST", "activities", "activities", OWNERS, {"activities": [ACTIVITY]}),
    Row("POST", "activity", "activities", OWNERS, {"foreign_id": "a", "time": TIME, "set": {"n": 1}}),
    Row("GET", "audit_logs", "audit_logs", SERVERS),
    Row("GET", "data_privacy/export_ids/{user...}", "data_privacy", SERVERS),
    Row("POST", "data_privacy/delete_activities", "data_privacy", SERVERS),
    Row("POST", "data_privacy/delete_reactions", "data_privacy", SERVERS),
    Row("POST", "moderation/flag", "moderation", SERVERS),
    Row("POST", "moderation/status", "moderation", SERVERS),
    Row("POST", "moderation/status/batch", "moderation", SERVERS),
    Row("DELETE", "moderation/user/cache/{user...}", "moderation", SERVERS),
    Row("POST", "reaction", "reactions", OWNERS, {"kind": "like", "parent": REACTION, "user_id": "ann"}),
    Row("GET", "reaction/get_many", "reactions", ANYONE, query={"ids": REACTION}),
    Row("GET", "reaction/{reaction}", "reactions", ANYONE),
    Row("PUT", "reaction/{reaction}", "reactions", OWNERS, {"data": {}}),
    Row("DELETE", "reaction/{reaction}", "reactions", OWNERS),
    Row("PUT", "reaction/{reaction}/restore", "reactions", OWNERS),
    Row("GET", "reaction/{lookup}/{value}", "reactions", ANYONE),
    Row("GET", "reaction/{lookup}/{value}/{kind...}", "reactions", ANYONE),
    Row("POST", "user", "users", OWNERS, {"id": "ann"}),
    Row("GET", "user/{user...}", "users", ANYONE),
    Row("PUT", "user/{user...}", "users", OWNERS, {"data": {}}),
    Row("DELETE", "user/{user...}", "users", OWNERS),
    Row("POST", "users", "users", SERVERS),
    Row("GET", "users", "users", SERVERS),
    Row("DELETE", "users", "users", SERVERS),
    Row("POST", "collections", "collections", SERVERS),
    Row("GET", "collections", "collections", SERVERS),
    Row("DELETE", "collections", "collections", SERVERS),
    Row("POST", "meta", "collections", SERVERS),
    Row("GET", "meta", "collections", SERVERS),
    Row("POST", "collections/{collection}", "collections", OWNERS, {"data": {"n": 1}, "user_id": "ann"}),
    Row("GET", "collections/{collection}/{entry}", "collections", ANYONE),
    Row("PUT", "collections/{collection}/{entry}", "collections", OWNERS, {"data": {"n": 2}}),
    Row("DELETE", "collections/{collection}/{entry}", "collections", OWNERS),
    Row("POST", "files", "files", ANYONE),
    Row("DELETE", "files", "files", OWNERS, query=FILE),
    Row("POST", "files/refresh", "files", OWNERS, FILE),
    Row("GET", "images", "files", OWNERS, query=FILE),
    Row("POST", "images", "files", ANYONE),
    Row("DELETE", "images", "files", OWNERS, query=FILE),
    Row("POST", "images/refresh", "files", OWNERS, FILE),
    Row("GET", "og", "url", ANYONE),
    Row("GET", "streams/{stream}/status", "streams", SERVERS),
    Row("PUT", "streams/{stream}/webhook", "streams", SERVERS),
    Row("GET", "streams/{stream}/webhook", "streams", SERVERS),
    Row("DELETE", "streams/{stream}/webhook", "streams", SERVERS),
    Row("GET", "streams/{stream}/webhook/dead_letters", "streams", SERVERS),
    Row("POST", "streams/{stream}/webhook/dead_letters", "streams", SERVERS),
    Row("GET", "streams/{stream}/events", "streams", SERVERS),
    *(
        Row(method, name + rest, "streams", SERVERS)
        for name, one in (("streams", "/{stream}"), ("filters", "/{filter}"))
        for method, rest in (
            ("POST", ""),
            ("GET", ""),
            ("DELETE", ""),
            ("GET", one),
            ("PUT", one),
            ("DELETE", one),
        )
    ),
]


def store_the_things_of_ann() -> dict[str, str]:
    """Everything that the rows are about, owned by ann; what the placeholders of bodies stand for."""
    ann = Api().as_user("ann")
    activity = ann.made("feed/user/ann/", ACTIVITY)
    ann.follow("user:ann", "user:bob")
    ann.react(activity["id"], user="ann", id=REACTION)
    ann.made("user/", {"id": "ann"})
    ann.made(f"collections/{COLLECTION}/", {"id": "e1", "data": {"n": 1}})
    return {"file": ann.upload("files/", b"text", "a.txt")}
