"""Users: one and many."""

from __future__ import annotations

from django_stream.protocol import limits
from django_stream.protocol.errors import invalid
from django_stream.server import permissions
from django_stream.server.actions import users as actions
from django_stream.server.reads import users as reads
from django_stream.server.requests import Body, Call, batch
from django_stream.server.validation import data_of, given_data_of, listed_id


def create(call: Call) -> Body:
    """Add a user."""
    fields = call.fields()
    user_id = listed_id(fields.get("id"), "id")
    if not call.principal.is_server:
        permissions.same_user(call, [user_id])
    again = call.parameters.flag("get_or_create")
    user = actions.create(call.application_id, user_id, data_of(fields.get("data")), get_or_create=again)
    return reads.shape(user)


def read(call: Call) -> Body:
    """Read a user."""
    user = reads.get(call.application_id, call.captures["user"])
    shape = reads.shape(user)
    if call.parameters.flag("with_follow_counts"):
        return {**shape, **reads.follow_counts(call.application_id, user.user_id)}
    return shape


def update(call: Call) -> Body:
    """Replace a user's data."""
    user_id = _owned_user_id(call)
    return reads.shape(actions.update(call.application_id, user_id, given_data_of(call.fields())))


def delete(call: Call) -> Body:
    """Delete a user."""
    actions.delete(call.application_id, [_owned_user_id(call)])
    return {}


def _owned_user_id(call: Call) -> str:
    """The user in the path, who must exist and, for a user token, be its holder."""
    user_id = reads.get(call.application_id, call.captures["user"]).user_id
    if not call.principal.is_server:
        permissions.same_user(call, [user_id])
    return user_id


def create_many(call: Call) -> Body:
    """Add many users."""
    fields = call.fields()
    items = batch(fields.get("users"), "users", limits.USERS_PER_REQUEST)
    if not all(isinstance(item, dict) for item in items):
        raise invalid("each of the users must be an object with an id", "users")
    given = [(listed_id(item.get("id"), "id"), data_of(item.get("data"))) for item in items]
    override = fields.get("override", fields.get("override_existing")) or False
    if not isinstance(override, bool):
        raise invalid("override must be true or false", "override")
    # Of one that is there twice, as of two requests: the first stays, or is replaced.
    users = dict(given) if override else dict(given) | dict(reversed(given))
    created = actions.create_many(call.application_id, users, override=override)
    return {"created_users": [reads.shape(user) for user in created]}


def read_many(call: Call) -> Body:
    """Read many users by id."""
    ids = _ids(call)
    found = reads.by_id(call.application_id, ids)
    return {"users": [reads.shape(found[user_id]) for user_id in ids if user_id in found]}


def delete_many(call: Call) -> Body:
    """Delete many users by id."""
    known = reads.by_id(call.application_id, _ids(call))
    # Blanks around an id are trimmed where no user has just that name: nobody else is deleted.
    parts = [part for text in call.parameters.texts("ids") for part in text.split(",")]
    named = [part if part in known else part.strip() for part in parts]
    ids = list(dict.fromkeys(filter(None, named)))
    actions.delete(call.application_id, ids)
    return {"deleted_user_ids": ids}


def _ids(call: Call) -> list[str]:
    """Ids with and without the blanks around them."""
    batch(list(dict.fromkeys(call.parameters.listed("ids"))), "ids", limits.USERS_PER_REQUEST)
    ids = call.parameters.names("ids")
    if not ids:
        raise invalid("ids are required", "ids")
    return ids
