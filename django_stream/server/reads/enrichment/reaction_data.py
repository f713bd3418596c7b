"""The keys about reactions that activities get."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django_stream.protocol import limits
from django_stream.server.reads.enrichment import latest_reactions
from django_stream.server.reads.enrichment.latest_reactions import Counts, Lists, Part
from django_stream.server.reads.enrichment.options import EnrichmentOptions
from django_stream.server.reads.reaction_rows import ReactionRow
from django_stream.server.requests import API_PATH

Shape = dict[str, Any]
Tell = Callable[[ReactionRow], Shape]


class ReactionData:
    """Reactions and counts of all activities of an answer, by activity id."""

    def __init__(self, options: EnrichmentOptions, counts: Counts, lists: dict[str, Lists]) -> None:
        self._options = options
        self._counts = counts
        self._lists = lists

    @classmethod
    def load(
        cls, application_id: int, activities: Iterable[Shape], options: EnrichmentOptions
    ) -> ReactionData:
        """One query, if the options name any."""
        if not options.reactions:
            return cls(options, {}, {})
        few, parts = limits.LATEST_REACTIONS_DEFAULT, {}
        if options.recent:
            parts["latest_reactions"] = Part(options.recent_limit)
        if options.own:
            parts["own_reactions"] = Part(few, options.user_id)
        if options.first:
            parts["first_reactions"] = Part(few, oldest=True)
        ids = {shape["id"] for shape in activities}
        return cls(options, *latest_reactions.of_activities(application_id, ids, parts, options.kinds))

    def rows(self) -> Iterable[ReactionRow]:
        """Every reaction in any list."""
        for lists in self._lists.values():
            for kinds in lists.values():
                for rows in kinds.values():
                    yield from rows

    def added_to(self, activity_id: str, tell: Tell) -> Shape:
        """The keys that an activity gets."""
        keys: Shape = {}
        for name, lists in self._lists.items():
            kinds = lists.get(activity_id, {})
            keys[name] = {kind: [tell(row) for row in rows] for kind, rows in kinds.items()}
        if self._options.recent:
            keys["latest_reactions_extra"] = self._extra(activity_id)
        if self._options.counts:
            keys["reaction_counts"] = dict(self._counts.get(activity_id, {}))
        return keys

    def _extra(self, activity_id: str) -> Shape:
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
