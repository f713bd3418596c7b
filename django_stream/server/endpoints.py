"""The table of endpoints: every method and path that the API answers.

docs/recipes.md tells how to add one.
"""

from __future__ import annotations

from django_stream.protocol import scopes
from django_stream.server import permissions as allow
from django_stream.server.handlers import (
    activities,
    activity_changes,
    audit_logs,
    collections,
    data_privacy,
    feeds,
    files,
    follows,
    moderation,
    opengraph,
    reactions,
    streams,
    targets,
    users,
    webhooks,
)
from django_stream.server.requests import Endpoint


def _feeds() -> list[Endpoint]:
    one, many = "feed/{feed}", "feed/add_to_many"
    return [
        Endpoint("POST", many, scopes.FEED, feeds.add_to_many, "add_to_many", status=201),
        Endpoint("GET", one, scopes.FEED, feeds.read, "read", allow.read_feed, enrichable=True),
        Endpoint("POST", one, scopes.FEED, feeds.add, "add", allow.post, status=201),
        Endpoint(
            "POST",
            "feed_targets/{feed}/activity_to_targets",
            scopes.FEED_TARGETS,
            targets.update,
            "update",
            allow.retarget,
            status=201,
        ),
    ]


def _follows() -> list[Endpoint]:
    batch, stats, resource = "follow_many", "stats/follow", scopes.FOLLOWER
    rows = [
        Endpoint("GET", "feed/{feed}/followers", resource, follows.followers, "followers", allow.own_feed),
        Endpoint("POST", "follow_many", resource, follows.follow_many, batch, status=201),
        Endpoint("POST", "unfollow_many", resource, follows.unfollow_many, batch, status=201),
        Endpoint("GET", stats, resource, follows.stats, "followers", allow.anyone),
    ]
    for word in ("follows", "following"):
        path = f"feed/{{feed}}/{word}"
        rows += [
            Endpoint("GET", path, resource, follows.follows, "followers", allow.own_feed),
            Endpoint("POST", path, resource, follows.follow, "follow", allow.follow, status=201),
            Endpoint(
                "DELETE",
                path + "/{target}",
                resource,
                follows.unfollow,
                "unfollow",
                allow.own_feed,
                unless="foreign_id",
            ),
        ]
    return rows


def _activities() -> list[Endpoint]:
    resource, change = scopes.ACTIVITIES, activity_changes.partial_update
    return [
        Endpoint("GET", "activities", resource, activities.read, "read", allow.anyone, enrichable=True),
        Endpoint("POST", "activities", resource, activities.update, "update", allow.update_own, status=201),
        Endpoint("POST", "activity", resource, change, "update", allow.change_own, status=201),
    ]


def _operations() -> list[Endpoint]:
    """For the application's own server only."""
    privacy, moderate = scopes.DATA_PRIVACY, scopes.MODERATION
    return [
        Endpoint("GET", "audit_logs", scopes.AUDIT_LOGS, audit_logs.read, "audit_logs"),
        Endpoint("GET", "data_privacy/export_ids/{user...}", privacy, data_privacy.export_ids, "privacy"),
        Endpoint(
            "POST",
            "data_privacy/delete_activities",
            privacy,
            data_privacy.delete_activities,
            "privacy",
            status=201,
        ),
        Endpoint(
            "POST",
            "data_privacy/delete_reactions",
            privacy,
            data_privacy.delete_reactions,
            "privacy",
            status=201,
        ),
        Endpoint("POST", "moderation/flag", moderate, moderation.flag, "moderation", status=201),
        Endpoint("POST", "moderation/status", moderate, moderation.status, "moderation", status=201),
        Endpoint(
            "POST", "moderation/status/batch", moderate, moderation.status_batch, "moderation", status=201
        ),
        Endpoint("DELETE", "moderation/user/cache/{user...}", moderate, moderation.forget_user, "moderation"),
    ]


def _reactions() -> list[Endpoint]:
    one, resource, family = "reaction/{reaction}", scopes.REACTIONS, "reactions"
    lists = "reaction/{lookup}/{value}"
    return [
        Endpoint("POST", "reaction", resource, reactions.add, family, allow.anyone, status=201),
        Endpoint("GET", "reaction/get_many", resource, reactions.get_many, family, allow.anyone),
        Endpoint("GET", one, resource, reactions.read, family, allow.anyone),
        Endpoint("PUT", one, resource, reactions.update, family, allow.anyone, status=201),
        Endpoint("DELETE", one, resource, reactions.delete, family, allow.anyone),
        Endpoint("PUT", f"{one}/restore", resource, reactions.restore, family, allow.anyone, status=201),
        Endpoint("GET", lists, resource, reactions.search, family, allow.anyone),
        Endpoint("GET", lists + "/{kind...}", resource, reactions.search, family, allow.anyone),
    ]


def _users() -> list[Endpoint]:
    one, resource, family = "user/{user...}", scopes.USERS, "users"
    return [
        Endpoint("POST", "user", resource, users.create, family, allow.anyone, status=201),
        Endpoint("GET", one, resource, users.read, family, allow.anyone),
        Endpoint("PUT", one, resource, users.update, family, allow.anyone, status=201),
        Endpoint("DELETE", one, resource, users.delete, family, allow.anyone),
        Endpoint("POST", "users", resource, users.create_many, family, status=201),
        Endpoint("GET", "users", resource, users.read_many, family),
        Endpoint("DELETE", "users", resource, users.delete_many, family),
    ]


def _collections() -> list[Endpoint]:
    every, all_of = "collections", "collections/{collection}"
    # By this name the PHP client calls the batch.
    alias = "meta"
    one, resource, family = "collections/{collection}/{entry}", scopes.COLLECTIONS, "collections"
    return [
        Endpoint("POST", every, resource, collections.upsert_many, family, status=201),
        Endpoint("GET", every, resource, collections.select, family),
        Endpoint("DELETE", every, resource, collections.delete_many, family),
        Endpoint("POST", alias, resource, collections.upsert_many, family, status=201),
        Endpoint("GET", alias, resource, collections.select, family),
        Endpoint("POST", all_of, resource, collections.create, family, allow.anyone, status=201),
        Endpoint("GET", one, resource, collections.read, family, allow.anyone),
        Endpoint("PUT", one, resource, collections.update, family, allow.anyone, status=201),
        Endpoint("DELETE", one, resource, collections.delete, family, allow.anyone),
    ]


def _files() -> list[Endpoint]:
    resource, family = scopes.FILES, "files"
    rows = [Endpoint("GET", "images", resource, files.process, family, allow.anyone)]
    for path, upload in (("files", files.upload), ("images", files.upload_image)):
        rows += [
            Endpoint("POST", path, resource, upload, family, allow.anyone, status=201),
            Endpoint("DELETE", path, resource, files.delete, family, allow.anyone),
            Endpoint("POST", f"{path}/refresh", resource, files.refresh, family, allow.anyone, status=201),
        ]
    return rows


def _open_graph() -> list[Endpoint]:
    return [Endpoint("GET", "og", scopes.OPEN_GRAPH, opengraph.read, "og", allow.anyone)]


def _streams() -> list[Endpoint]:
    resource, family = scopes.STREAMS, "streams"
    return [
        Endpoint("POST", "streams", resource, streams.create, family),
        Endpoint("GET", "streams", resource, streams.read_all, family),
        Endpoint("DELETE", "streams", resource, streams.delete_all, family),
        Endpoint("GET", "streams/{stream}", resource, streams.read, family),
        Endpoint("GET", "streams/{stream}/status", resource, streams.read_status, family),
        Endpoint("GET", "streams/{stream}/events", resource, streams.read_events, family),
        Endpoint("PUT", "streams/{stream}", resource, streams.update, family),
        Endpoint("DELETE", "streams/{stream}", resource, streams.delete, family),
        Endpoint("PUT", "streams/{stream}/webhook", resource, webhooks.replace, family),
        Endpoint("GET", "streams/{stream}/webhook", resource, webhooks.read, family),
        Endpoint("DELETE", "streams/{stream}/webhook", resource, webhooks.delete, family),
        Endpoint("GET", "streams/{stream}/webhook/dead_letters", resource, webhooks.dead_letters, family),
        Endpoint("POST", "streams/{stream}/webhook/dead_letters", resource, webhooks.deliver_again, family),
        Endpoint("POST", "filters", resource, streams.create_filter, family),
        Endpoint("GET", "filters", resource, streams.read_filters, family),
        Endpoint("DELETE", "filters", resource, streams.delete_filters, family),
        Endpoint("GET", "filters/{filter}", resource, streams.read_filter, family),
        Endpoint("PUT", "filters/{filter}", resource, streams.replace_filter, family),
        Endpoint("DELETE", "filters/{filter}", resource, streams.delete_filter, family),
    ]


def _last() -> list[Endpoint]:
    """The item of the delete path may be anything, slashes included: other rows come first."""
    return [
        Endpoint("DELETE", "feed/{feed}/{item...}", scopes.FEED, feeds.remove, "remove", allow.own_feed),
    ]


ENDPOINTS: tuple[Endpoint, ...] = (
    *_feeds(),
    *_follows(),
    *_activities(),
    *_operations(),
    *_reactions(),
    *_users(),
    *_collections(),
    *_files(),
    *_open_graph(),
    *_streams(),
    *_last(),
)
