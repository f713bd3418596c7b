"""Feeds as a few dictionaries: what the server must always agree with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

OWN = "own"


@dataclass
class Post:
    """A placement: whether followers receive it, and whether only a `to` list made it."""

    forwarded: bool
    targeted: bool


@dataclass
class FeedModel:
    """Every operation acts at once on every feed that it concerns."""

    actors: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    """What the groups of grouped feeds are named by; the first text stays."""
    targets: dict[str, list[str]] = field(default_factory=dict)
    posts: dict[tuple[str, str], Post] = field(default_factory=dict)
    ways: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    hidden: set[tuple[str, str]] = field(default_factory=set)
    following: set[tuple[str, str]] = field(default_factory=set)

    def write(self, activity: str, actor: str, kind: str) -> None:
        """An activity is stored or replaced; one that was erased is as good as new."""
        self.actors[activity] = actor
        self.kinds[activity] = self.kinds.get(activity) or kind

    def add(self, feed: str, activity: str, to: list[str]) -> None:
        known = self.targets.setdefault(activity, [])
        known += [target for target in to if target not in known]
        self._place(feed, activity, targeted=False)
        for target in to:
            self._place(target, activity, targeted=True)

    def add_to_many(self, feeds: list[str], activity: str) -> None:
        self.targets.setdefault(activity, [])
        for feed in feeds:
            self._place(feed, activity, targeted=False, forwarded=False)

    def _place(self, feed: str, activity: str, *, targeted: bool, forwarded: bool = True) -> None:
        post = self.posts.setdefault((feed, activity), Post(False, targeted))
        post.targeted = post.targeted and targeted
        self.hidden.discard((feed, activity))
        self.ways[feed, activity].add(OWN)
        if forwarded and not post.forwarded:
            post.forwarded = True
            for source, target in self.following:
                if target == feed:
                    self.ways[source, activity].add(feed)

    def remove(self, feed: str, activity: str) -> None:
        self._remove([feed], activity)

    def _remove(self, feeds: list[str], activity: str) -> None:
        """From all of these at once: only what still brings it after that is hidden."""
        leaving = {feed for feed in feeds if (feed, activity) in self.posts}
        posted = {name for name, post in self._posts_of(activity) if not post.targeted}
        if posted and posted <= leaving:
            leaving |= {name for name, _ in self._posts_of(activity)}
            self.targets[activity] = []
        for name in leaving:
            self._withdraw(name, activity)
        self.hidden |= {(feed, activity) for feed in feeds if self.ways[feed, activity]}
        if not self._posts_of(activity):
            for known in (self.actors, self.kinds, self.targets):
                known.pop(activity, None)

    def erase(self, activity: str, feeds: list[str]) -> None:
        self._remove(feeds, activity)
        if activity in self.actors:
            self.actors[activity] = self.kinds[activity] = ""

    def retarget(self, activity: str, new: list[str]) -> None:
        for name in self.targets.get(activity, []):
            post = self.posts.get((name, activity))
            if name not in new and post is not None and post.targeted:
                self._withdraw(name, activity)
        self.targets[activity] = list(new)
        for name in new:
            self._place(name, activity, targeted=True)

    def posted(self, feed: str, activity: str) -> bool:
        post = self.posts.get((feed, activity))
        return post is not None and not post.targeted

    def _posts_of(self, activity: str) -> list[tuple[str, Post]]:
        return [(feed, post) for (feed, one), post in self.posts.items() if one == activity]

    def _withdraw(self, feed: str, activity: str) -> None:
        del self.posts[feed, activity]
        self.ways[feed, activity].discard(OWN)
        for (_, one), ways in self.ways.items():
            if one == activity:
                ways.discard(feed)

    def follow(self, source: str, target: str, copied: list[str]) -> None:
        """`copied`: the newest forwarded activities of the target, as many as the limit allows."""
        if (source, target) not in self.following:
            self.following.add((source, target))
            for activity in copied:
                self.ways[source, activity].add(target)

    def forwarded(self, feed: str) -> list[str]:
        return [activity for (name, activity), post in self.posts.items() if name == feed and post.forwarded]

    def unfollow(self, source: str, target: str, *, keep_history: bool) -> None:
        self.following.discard((source, target))
        if not keep_history:
            for (feed, _), ways in self.ways.items():
                if feed == source:
                    ways.discard(target)

    def shown(self, feed: str) -> dict[str, set[str]]:
        """{activity: its ways} of what a reader of the feed sees."""
        return {
            activity: ways
            for (name, activity), ways in self.ways.items()
            if name == feed and ways and (feed, activity) not in self.hidden
        }
