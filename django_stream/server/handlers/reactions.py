"""Reactions: one, many by id, and lists."""

from __future__ import annotations

from typing import Any

from django_stream.protocol import limits
from django_stream.protocol.errors import ApiError, invalid
from django_stream.server import permissions
from django_stream.server.actions import reactions as actions
from django_stream.server.actions.reactions import NewReaction, Targets
from django_stream.server.activity_input import check_configured, feed_id_of
from django_stream.server.models import Reaction
from django_stream.server.reads import reactions as reads
from django_stream.server.reads.answer_size import check_whole
from django_stream.server.reads.enrichment.enrich import about, enrich_reactions
from django_stream.server.reads.enrichment.options import EnrichmentOptions
from django_stream.server.reads.reactions import Bound, Lookup, Search
from django_stream.server.requests import Body, Call, batch
from django_stream.server.validation import data_of, given_data_of, listed_id, reaction_id, text_id, uuid_of

_BOUNDS: tuple[Bound, ...] = ("id_lt", "id_lte", "id_gt", "id_gte")
_LOOKUPS: tuple[Lookup, ...] = ("activity_id", "reaction_id", "user_id")
_BY_ID_MAX = 100


def add(call: Call) -> Body:
    """Add a reaction to an activity or to another reaction."""
    fields = call.fields()
    given = fields.get("id")
    parent = fields.get("parent")
    new = NewReaction(
        kind=listed_id(fields.get("kind"), "kind"),
        user_id=_user_id(call, fields),
        activity=None if parent else uuid_of(fields.get("activity_id"), "activity_id"),
        parent=text_id(parent, "parent") if parent else "",
        data=data_of(fields.get("data")),
        targets=_targets(call, fields),
        reaction_id=reaction_id(given, "id") if given not in (None, "") else "",
    )
    return _with_extra(actions.add(call.application_id, new), fields)


def _user_id(call: Call, fields: dict[str, Any]) -> str:
    """Whoever reacts: a user token's holder, or whom the application's server names."""
    given = fields.get("user_id")
    if call.principal.is_server:
        return listed_id(given, "user_id")
    permissions.allow(given in (None, "", call.principal.user_id))
    return listed_id(call.principal.user_id, "user_id")


def _targets(call: Call, fields: dict[str, Any]) -> Targets:
    names = batch(fields.get("target_feeds") or [], "target_feeds", limits.TARGETS_PER_REACTION)
    feeds = list(dict.fromkeys(feed_id_of(name, "target_feeds") for name in names))
    check_configured(feeds, call.application_id)
    if not call.principal.is_server:
        permissions.allow(all(permissions.may_address(call, feed) for feed in feeds))
    extra = fields.get("target_feeds_extra_data")
    return Targets(
        tuple(str(feed) for feed in feeds),
        None if extra is None else data_of(extra, "target_feeds_extra_data"),
    )


def _with_extra(row: Reaction, fields: dict[str, Any]) -> Body:
    """Only the answer to a write shows what it added on the target feeds."""
    shape = enrich_reactions(row.application_id, [row])[0]
    if fields.get("target_feeds_extra_data") is not None:
        shape["target_feeds_extra_data"] = row.target_feeds_extra_data
    return shape


def read(call: Call) -> Body:
    """Read a reaction."""
    row = reads.get(call.application_id, call.captures["reaction"])
    return enrich_reactions(call.application_id, [row], EnrichmentOptions.of_reactions(call))[0]


def update(call: Call) -> Body:
    """Replace the data and the target feeds of a reaction."""
    fields = call.fields()
    reaction_id = _owned_reaction_id(call)
    data, targets = given_data_of(fields), _targets(call, fields)
    return _with_extra(actions.update(call.application_id, reaction_id, data, targets), fields)


def delete(call: Call) -> Body:
    """Delete a reaction and those below it."""
    actions.delete(call.application_id, _owned_reaction_id(call), soft=call.parameters.flag("soft"))
    return {}


def restore(call: Call) -> Body:
    """Bring a softly deleted reaction back."""
    actions.restore(call.application_id, _owned_reaction_id(call))
    return {}


def _owned_reaction_id(call: Call) -> str:
    """The reaction in the path, which must exist and, for a user token, be its holder's."""
    row = reads.get(call.application_id, call.captures["reaction"])
    if not call.principal.is_server:
        permissions.same_user(call, [row.user_id])
    return row.reaction_id


def get_many(call: Call) -> Body:
    """Read many reactions by id."""
    batch(list(dict.fromkeys(call.parameters.listed("ids"))), "ids", _BY_ID_MAX)
    ids = call.parameters.names("ids")
    if not ids:
        raise invalid("ids are required", "ids")
    found = reads.by_id(call.application_id, ids, deleted=call.parameters.flag("include_deleted"))
    rows = [found[reaction_id] for reaction_id in ids if reaction_id in found]
    options = EnrichmentOptions.of_reactions(call, own_children=bool(call.parameters.text("user_id")))
    shapes = enrich_reactions(call.application_id, rows, options)
    check_whole(len(shapes), len(rows), "ids")
    return {"reactions": shapes}


def search(call: Call) -> Body:
    """List the reactions to an activity, to a reaction, or of a user."""
    options = EnrichmentOptions.of_reactions(call)
    found = _search_of(call)
    rows, more = reads.page(call.application_id, found)
    results = enrich_reactions(call.application_id, rows, options)
    body: dict[str, Any] = {"results": results, "next": ""}
    if more or len(results) < len(rows):
        body["next"] = _next(call, found, rows[len(results) - 1])
    if call.parameters.flag("with_activity_data") and found.lookup == "activity_id":
        body["activity"] = about(call.application_id, uuid_of(found.value, "activity_id"), options)
    return body


def _search_of(call: Call) -> Search:
    lookup, value = call.captures["lookup"], call.captures["value"]
    if lookup not in _LOOKUPS:
        raise invalid(f"reactions are looked up by one of {', '.join(_LOOKUPS)}, not {lookup!r}", "lookup")
    if lookup == "activity_id":
        value = str(uuid_of(value, "activity_id"))
    bounds = tuple((name, text) for name in _BOUNDS if (text := call.parameters.text(name)))
    if len(bounds) > 1:
        raise ApiError.named(
            "InvalidPaginationException", f"{bounds[0][0]} and {bounds[1][0]} exclude each other"
        )
    limit = call.parameters.number("limit", limits.REACTION_PAGE_DEFAULT, least=1)
    return Search(
        lookup=lookup,
        value=value,
        limit=min(limit, limits.REACTION_PAGE_MAX),
        kind=call.captures.get("kind", ""),
        user_id=call.parameters.text("filter_user_id"),
        bounds=bounds,
    )


def _next(call: Call, search: Search, last: Reaction) -> str:
    bound = "id_gt" if search.oldest_first else "id_lt"
    return call.following({bound: last.reaction_id, "limit": str(search.limit)}, _BOUNDS)
