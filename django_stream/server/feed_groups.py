"""Feed groups: configuration as code, read from the settings and checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, get_args

from django.core.signals import setting_changed

from django_stream.protocol.errors import ApiError
from django_stream.protocol.feed_ids import validate_feed_slug
from django_stream.server.conf import PREFIX, server_settings

Kind = Literal["flat", "aggregated", "notification"]
KINDS: tuple[Kind, ...] = get_args(Kind)
IGNORED_OPTIONS = frozenset({"realtime"})
"""Options of former versions: they have no effect, and a system check says so."""
DEFAULT_FORMAT = '{{ verb }}_{{ time.strftime("%Y-%m-%d") }}'


@dataclass(frozen=True, slots=True)
class FeedGroup:
    """How the feeds of one slug behave."""

    slug: str
    kind: Kind = "flat"
    aggregation_format: str = DEFAULT_FORMAT
    ranking: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Ranking methods by name, each {"score": expression, "defaults": {...}}."""

    @property
    def grouped(self) -> bool:
        """Whether a page of such a feed lists groups of activities."""
        return self.kind != "flat"

    @classmethod
    def from_setting(cls, slug: str, options: Mapping[str, Any]) -> FeedGroup:
        """Build one group; ValueError says what is wrong with it."""
        validate_feed_slug(slug)
        options = {name: value for name, value in options.items() if name not in IGNORED_OPTIONS}
        unknown = set(options) - set(cls.__dataclass_fields__) | set(options) & {"slug"}
        if unknown:
            raise ValueError(f"feed group {slug!r} has unknown options: {', '.join(sorted(unknown))}")
        if options.get("kind", "flat") not in KINDS:
            raise ValueError(f"feed group {slug!r} has kind {options['kind']!r}; it must be one of {KINDS}")
        return cls(slug, **options)


@lru_cache(maxsize=64)
def groups_of(application_id: int) -> Mapping[str, FeedGroup]:
    """The groups of an application."""
    own = server_settings.APPLICATION_FEED_GROUPS.get(str(application_id))
    return _built(server_settings.FEED_GROUPS if own is None else own)


def _built(configured: Mapping[str, Mapping[str, Any]]) -> Mapping[str, FeedGroup]:
    return {slug: FeedGroup.from_setting(slug, options) for slug, options in configured.items()}


@lru_cache(maxsize=1)
def grouped_slugs() -> Mapping[int | None, tuple[str, ...]]:
    """Slugs of grouped feeds by application, where it has groups of its own; under None of all others."""
    own = (int(one) for one in server_settings.APPLICATION_FEED_GROUPS if one.isdecimal())
    every: dict[int | None, Mapping[str, FeedGroup]] = {one: groups_of(one) for one in own}
    every[None] = _built(server_settings.FEED_GROUPS)
    return {one: tuple(slug for slug in groups if groups[slug].grouped) for one, groups in every.items()}


def every_slug() -> set[str]:
    """The slugs that any application's feeds may have."""
    configured = [server_settings.FEED_GROUPS, *server_settings.APPLICATION_FEED_GROUPS.values()]
    return {slug for groups in configured for slug in groups}


def group_of(application_id: int, slug: str) -> FeedGroup:
    """One group, or the error that says it is not configured."""
    group = groups_of(application_id).get(slug)
    if group is None:
        raise not_configured(slug)
    return group


def not_configured(*slugs: str) -> ApiError:
    """The refusal of feeds whose group is not among the application's feed groups."""
    listed = ", ".join(f"'{slug}'" for slug in dict.fromkeys(slugs))
    return ApiError.named("FeedConfigException", f"The following feeds are not configured: {listed}")


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith(PREFIX):
        groups_of.cache_clear()
        grouped_slugs.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_stream.server.feed_groups")
