"""What a viewer is shown of the entries that a feed answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import models

from django_stream.activities.model_references import parse_reference
from django_stream.activities.visibility import SEES_ALL, hides_some
from django_stream.client import StreamClient
from django_stream.conf import stream_settings
from django_stream.feeds.activity_references import resolve_activities
from django_stream.feeds.enriched_answers import with_references
from django_stream.feeds.enrichment import Enrich, EnrichedActivity, shown_entry
from django_stream.feeds.lenses import Lens
from django_stream.feeds.visible_reactions import VisibleReactions, has_reactions, reacted
from django_stream.protocol.wire import is_group, members


class Selection:
    """Chooses for one viewer, page by page, what may be shown."""

    def __init__(self, client: StreamClient, enrich: Enrich, lens: Lens | None = None) -> None:
        self.lens = lens or Lens()
        self._client = client
        self._enrich = enrich
        self._models: set[type[models.Model]] = set()
        self._asked: dict[frozenset[type[models.Model]], bool] = {}

    def choose(self, results: Sequence[Mapping[str, Any]]) -> list[EnrichedActivity | None]:
        """Each entry as it may be shown, in order, and None in place of those that may not."""
        looked = list(self.lens.look(results))
        left = [(seen, raw) for seen, raw in zip(looked, results, strict=True) if seen is not None]
        chosen = self._choose([seen for seen, _ in left], [raw for _, raw in left])
        kept = iter(
            [
                shown if shown is not None and self.lens.keeps(raw, shown) else None
                for shown, (_, raw) in zip(chosen, left, strict=True)
            ]
        )
        return [None if seen is None else next(kept) for seen in looked]

    def _choose(
        self, results: Sequence[Mapping[str, Any]], whole: Sequence[Mapping[str, Any]]
    ) -> list[EnrichedActivity | None]:
        """The same of entries that the lens has left; `whole` are they as the API answered them."""
        fields = self._enrich.fields
        entries = [with_references(entry, fields) for entry in self._with_visible_reactions(results)]
        entries = resolve_activities(self._client, entries, fields)
        hidden = self._hidden_notices(results, entries)
        if entries and is_group(entries[0]):
            enriched = self._enrich.enrich_aggregated_activities(entries)
            self._models |= _models_of(entries, fields)
        else:
            enriched = self._enrich.enrich_activities(entries)
        for activity in _activities(enriched):
            activity.hidden |= activity["id"] in hidden
        policy = stream_settings.MISSING_OBJECTS
        return [self._shown(entry, raw, policy) for entry, raw in zip(enriched, whole, strict=True)]

    def _hidden_notices(self, raw: Sequence[Any], resolved: Sequence[Any]) -> set[str]:
        """Ids of activities that tell of a reaction which the viewer may not see."""
        pairs = zip(_activities(raw), _activities(resolved), strict=True)
        notices = {one["id"]: told for one, same in pairs if (told := reacted(one, same)) is not None}
        if not notices or self._enrich.viewer is SEES_ALL:
            return set()
        hidden = self._reactions_of(list(notices.values())).hidden
        return {
            activity_id
            for activity_id, told in notices.items()
            for (reaction,) in told["latest_reactions"].values()
            if reaction["id"] in hidden
        }

    def _reactions_of(self, activities: list[Mapping[str, Any]]) -> VisibleReactions:
        return VisibleReactions(self._enrich.viewer, activities, with_muted=self._enrich.with_muted)

    def _with_visible_reactions(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        activities = [one for one in _activities(entries) if has_reactions(one)]
        if not activities or self._enrich.viewer is SEES_ALL:
            return [dict(entry) for entry in entries]
        seen = self._reactions_of(activities)
        return [
            {**entry, "activities": [{**one, **seen.below(one)} for one in members(entry)]}
            if is_group(entry)
            else {**entry, **seen.below(entry)}
            for entry in entries
        ]

    def _shown(self, entry: EnrichedActivity, raw: Mapping[str, Any], policy: str) -> EnrichedActivity | None:
        shown = shown_entry(entry, policy)
        if shown is None or not is_group(shown):
            return shown
        return EnrichedActivity({**shown, **self._numbers(raw, {one["id"] for one in shown["activities"]})})

    def _numbers(self, group: Mapping[str, Any], kept_ids: set[str]) -> dict[str, Any]:
        """The numbers that a group can stand for: of its older activities, not all may be visible."""
        actors = [(_name_of(one["actor"]), one["id"] in kept_ids) for one in group["activities"]]
        kept = {name for name, is_kept in actors if is_kept}
        lost = {name for name, _ in actors} - kept
        older = group["activity_count"] > len(group["activities"])
        if older and not self.hides_some:
            return {
                "activity_count": group["activity_count"] - len(group["activities"]) + len(kept_ids),
                "actor_count": max(len(kept), group["actor_count"] - len(lost)),
            }
        numbers = {"activity_count": len(kept_ids), "actor_count": len(kept)}
        return numbers | {"has_more": True} if older else numbers

    @property
    def hides_some(self) -> bool:
        """Whether anything of the models seen so far may be hidden from the viewer."""
        models_ = frozenset(self._models)
        if models_ not in self._asked:
            viewer, with_muted = self._enrich.viewer, self._enrich.with_muted
            self._asked[models_] = hides_some(models_, viewer, with_muted=with_muted)
        return self.lens.hides_some or self._asked[models_]


def _activities(entries: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    for entry in entries:
        if is_group(entry):
            yield from entry["activities"]
        else:
            yield entry


def _models_of(entries: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> set[type[models.Model]]:
    """The models that references lead to, whether or not their rows may be seen."""
    references = (parse_reference(one.get(name)) for one in _activities(entries) for name in fields)
    return {reference.model for reference in references if reference is not None}


def _name_of(actor: Any) -> str:
    """What tells actors apart, whether or not the API has put an object in place of the reference."""
    return str(actor.get("id", actor)) if isinstance(actor, Mapping) else str(actor)
