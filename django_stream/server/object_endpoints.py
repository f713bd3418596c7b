"""The part of the table that is about reactions, users, collections, files and open graph data."""

from __future__ import annotations

from django_stream.protocol import scopes
from django_stream.server import permissions as allow
from django_stream.server.handlers import collections, files, opengraph, reactions, users
from django_stream.server.requests import Endpoint


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
    one, resource, family = "collections/{collection}/{entry}", scopes.COLLECTIONS, "collections"
    return [
        Endpoint("POST", every, resource, collections.upsert_many, family, status=201),
        Endpoint("GET", every, resource, collections.select, family),
        Endpoint("DELETE", every, resource, collections.delete_many, family),
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


OBJECT_ENDPOINTS: tuple[Endpoint, ...] = (
    *_reactions(),
    *_users(),
    *_collections(),
    *_files(),
    *_open_graph(),
)
