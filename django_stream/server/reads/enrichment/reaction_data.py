"""What enrichment adds to activities about reactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import quote

from django_stream.protocol import limits, wire
from django_stream.server.reads import latest_reactions
from django_stream.server.reads.answer_size import AnswerSize
from django_stream.server.reads.enrichment.options import EnrichmentOptions
from django_stream.server.reads.latest_reactions import Choice, Counts, Lists
from django_stream.server.reads.reaction_rows import ReactionRow
from django_stream.server.requests import API_PATH

Serialize = Callable[[ReactionRow], wire.Reaction[str]]
# About the bytes of the count of a kind: anybody may invent kinds.
_COUNT = 64
ReactionLists = dict[wire.ReactionListName, Lists]


class ReactionData:
    """Reactions and counts of all activities of an answer, by activity id."""

    def __init__(self, options: EnrichmentOptions, counts: Counts, lists: ReactionLists) -> None:
        self._options = options
        self._counts = counts
        self._lists = lists

    @classmethod
    def load(
        cls,
        application_id: int,
        activities: Iterable[wire.Activity],
        options: EnrichmentOptions,
        *,
        whole: bool,
    ) -> ReactionData:
        """One query, if the options name any."""
        if not options.reactions:
            return cls(options, {}, {})
        few = limits.LATEST_REACTIONS_DEFAULT
        choices: dict[wire.ReactionListName, Choice] = {}
        if options.recent:
            choices["latest_reactions"] = Choice(options.recent_limit)
        if options.own:
            choices["own_reactions"] = Choice(few, options.user_id)
        if options.first:
            choices["first_reactions"] = Choice(few, oldest=True)
        ids = {shape["id"] for shape in activities}
        found = latest_reactions.of_activities(application_id, ids, choices, options.kinds, whole=whole)
        return cls(options, *found)

    def rows(self) -> Iterable[ReactionRow]:
        """Every reaction in any list."""
        for lists in self._lists.values():
            for kinds in lists.values():
                for rows in kinds.values():
                    yield from rows

    def of(self, activity_id: str, serialize: Serialize, size: AnswerSize) -> wire.ActivityReactions:
        """What an activity gets."""
        keys: wire.ActivityReactions = {}
        size.add(_COUNT * len(self._counts.get(activity_id, ())))
        for name, lists in self._lists.items():
            kinds = lists.get(activity_id, {})
            keys[name] = {
                kind: [serialize(row) for row in rows if not size.is_overfull] for kind, rows in kinds.items()
            }
        if self._options.recent:
            keys["latest_reactions_extra"] = self._extra(activity_id)
        if self._options.counts:
            keys["reaction_counts"] = dict(self._counts.get(activity_id, {}))
        return keys

    def _extra(self, activity_id: str) -> dict[str, wire.NextReactions]:
        shown = self._lists["latest_reactions"].get(activity_id, {})
        return {
            kind: {"next": self._next(rows[-1]) if self._counts[activity_id][kind] > len(rows) else ""}
            for kind, rows in shown.items()
        }

    def _next(self, last: ReactionRow) -> str:
        options = self._options
        children = "true" if options.own_children else "false"
        place = f"?id_lt={quote(last.reaction_id, safe='')}&limit={options.recent_limit}"
        address = (
            f"{options.base_url}{API_PATH}reaction/activity_id/{last.activity_id}/{_quoted(last.kind)}/"
            f"{place}&withOwnChildren={children}"
        )
        if options.named_user and options.user_id:
            address += f"&user_id={_quoted(options.user_id)}"
        return address


@lru_cache(maxsize=256)
def _quoted(text: str) -> str:
    return quote(text, safe="")
