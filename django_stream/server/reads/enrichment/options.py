"""Which reaction data a request asks for: the flags of the wire, in all their spellings."""

from __future__ import annotations

from dataclasses import dataclass

from django_stream.protocol import limits
from django_stream.server.conf import server_settings
from django_stream.server.requests import Call

# In the process nobody knows the host; the path is what such a caller uses.
_NO_HOST = "http://localhost"


@dataclass(frozen=True, slots=True)
class EnrichmentOptions:
    """What to add, and from whose point of view."""

    recent: bool = False
    own: bool = False
    counts: bool = False
    first: bool = False
    own_children: bool = False
    kinds: tuple[str, ...] = ()
    own_children_kinds: tuple[str, ...] = ()
    recent_limit: int = limits.LATEST_REACTIONS_DEFAULT
    user_id: str | None = None
    """Whose reactions are "own"; None takes everybody's, as server tokens without a user do."""
    named_user: bool = False
    """The request itself named that user."""
    base_url: str = _NO_HOST

    @property
    def reactions(self) -> bool:
        return self.recent or self.own or self.counts or self.first

    @classmethod
    def by(cls, call: Call) -> EnrichmentOptions:
        """Read the flags of a call."""
        parameters = call.parameters
        named = parameters.text("user_id", "filter_user_id", "withUserId", "with_user_id")
        limit = ("recentReactionsLimit", "recent_reactions_limit", "reaction_limit")
        given = next((name for name in limit if parameters.text(name)), limit[0])
        asked = parameters.number(given, limits.LATEST_REACTIONS_DEFAULT, least=1)
        return cls(
            recent=parameters.flag("withRecentReactions", "with_recent_reactions"),
            own=parameters.flag("withOwnReactions", "with_own_reactions"),
            counts=parameters.flag("withReactionCounts", "with_reaction_counts"),
            first=parameters.flag("withFirstReactions", "with_first_reactions"),
            own_children=wants_own_children(call),
            kinds=tuple(parameters.names("reactionKindsFilter", "reaction_kinds_filter")),
            own_children_kinds=own_children_kinds(call),
            recent_limit=min(asked, limits.LATEST_REACTIONS_MAX),
            user_id=named or call.principal.user_id,
            named_user=bool(named),
            base_url=base_url(call.origin),
        )

    @classmethod
    def of_reactions(cls, call: Call, *, own_children: bool = False) -> EnrichmentOptions:
        """The flags of a call that reads reactions: of the activity beside them, everything."""
        parameters = call.parameters
        named = parameters.text("children_user_id", "user_id", "filter_user_id")
        return cls(
            recent=True,
            own=True,
            counts=True,
            own_children=own_children or wants_own_children(call),
            own_children_kinds=own_children_kinds(call),
            user_id=named or call.principal.user_id,
            base_url=base_url(call.origin),
        )


def wants_own_children(call: Call) -> bool:
    return call.parameters.flag("withOwnChildren", "with_own_children")


def own_children_kinds(call: Call) -> tuple[str, ...]:
    return tuple(call.parameters.names("withOwnChildrenKinds", "with_own_children_kinds"))


def base_url(origin: str) -> str:
    """Scheme and host of this server, for addresses that must be absolute."""
    return str(server_settings.PUBLIC_URL).rstrip("/") or origin or _NO_HOST
