"""Rows as they were drawn, and an account of who may see them that shares no code with what is tested."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from hypothesis import strategies as st

from django_stream import feeds
from django_stream.feeds import feed_manager
from django_stream.models import RecordedActivity
from django_stream.notifications import dismiss, set_preference
from django_stream.protocol.wire import members
from django_stream.publishing.publisher import publishers_of
from django_stream.tracking import drain, record
from tests.testapp.models import Block, Cheer, Moment, Mute, Praise, Quote, Subscription, Whisper

PEOPLE = 4
VERBS = ("moment", "praise", "quote", "note", "whisper", "cheer")
person = st.integers(0, PEOPLE - 1)
pairs = st.sets(st.tuples(person, person).filter(lambda pair: pair[0] != pair[1]), max_size=5)
moments = st.tuples(
    person, st.sampled_from(["all", "followers", "self"]), st.none() | person, st.sets(person)
)
# By whom, and of which of the moments (or praises) before.
words = st.lists(st.tuples(person, st.integers(0, 4)), max_size=5)
records = st.lists(
    st.tuples(
        person,
        st.none() | st.tuples(st.sampled_from(["moment", "person"]), st.integers(0, 4)),
        st.none() | person,
        st.sets(person),
    ),
    max_size=4,
)
drawn_worlds = st.fixed_dictionaries(
    {
        "follows": pairs,
        "mutes": pairs,
        "blocks": pairs,
        "moments": st.lists(moments, min_size=1, max_size=5),
        "praises": words,
        "quotes": words,
        "whispers": words,
        "cheers": words,
        "records": records,
        "unwanted": st.lists(
            st.tuples(person, st.sampled_from(VERBS), st.booleans(), st.booleans()), max_size=4
        ),
        "seen": st.sets(person),
        "dismissed": st.lists(st.tuples(person, st.integers(0, 4)), max_size=3),
        "later": st.lists(moments, max_size=2),
    }
)


def shows_cheers(viewer: Any, rows: Any) -> Any:
    """Every other cheer is for nobody but who cheers."""
    return rows.filter(object_id__in=[str(one.pk) for one in Moment.objects.all() if not one.pk % 2]) | (
        rows.filter(user=viewer.pk or 0)
    )


class World:
    def __init__(self, drawn: dict[str, Any]) -> None:
        self.people = [User.objects.create(username=f"person-{number}-") for number in range(PEOPLE)]
        for a, b in drawn["follows"]:
            Subscription.objects.create(reader=self.people[a], writer=self.people[b])
        self._post(drawn["moments"], day=1)
        for by, which in drawn["praises"]:
            Praise.objects.create(by=self.people[by], moment=self._one_of(Moment, which))
        for user, which in drawn["quotes"] if drawn["praises"] else ():
            Quote.objects.create(user=self.people[user], praise=self._one_of(Praise, which))
        for user, which in drawn["whispers"]:
            moment = self._one_of(Moment, which)
            Whisper.objects.create(user=self.people[user], moment=moment, secret=which % 2)
        for user, which in drawn["cheers"]:
            Cheer.objects.create(user=self.people[user], thing=self._one_of(Moment, which))
        for by, what, target, told in drawn["records"]:
            self._record(by, what, target, told)
        drain()
        Mute.objects.bulk_create(Mute(by=self.people[a], of=self.people[b]) for a, b in drawn["mutes"])
        for a, b in drawn["blocks"]:
            Block.objects.create(by=self.people[a], of=self.people[b])
        drain()
        self.follows = set(Subscription.objects.values_list("reader", "writer"))
        self.mutes = set(Mute.objects.values_list("by", "of"))
        self.blocks = set(Block.objects.values_list("by", "of"))
        self._choose(drawn)
        self._post(drawn["later"], day=len(drawn["moments"]))
        drain()
        self.labels = {f"testapp.{model.__name__}": model for model in (Moment, Praise, Quote)}
        self.labels["django_stream.RecordedActivity"] = RecordedActivity

    def _post(self, drawn: list[Any], day: int) -> None:
        for number, (author, audience, at, mentioned) in enumerate(drawn, start=day):
            moment = Moment.objects.create(
                author=self.people[author],
                audience=audience,
                at=None if at is None else self.people[at],
                created_at=f"2026-01-{number:02}T12:00:00Z",
            )
            moment.mentioned.set([self.people[one] for one in mentioned])

    def _record(self, by: int, what: Any, target: int | None, told: set[int]) -> None:
        kind, which = what or (None, 0)
        objects = {"moment": lambda: self._one_of(Moment, which), "person": lambda: self._one_of(User, which)}
        record(
            actor=self.people[by],
            verb="note",
            object=objects[kind]() if kind else None,
            target=None if target is None else self.people[target],
            to=[self.people[one] for one in told],
        )

    def _choose(self, drawn: dict[str, Any]) -> None:
        """What people do about their notifications."""
        self.unwanted: dict[tuple[User, str], set[str]] = {}
        for one, verb, in_feed, by_email in drawn["unwanted"]:
            user = self.people[one]
            set_preference(user, verb, in_feed=in_feed, by_email=by_email)
            for channel, wanted in (("in_feed", in_feed), ("by_email", by_email)):
                change = set.discard if wanted else set.add
                change(self.unwanted.setdefault((user, channel), set()), verb)
        for one in drawn["seen"]:
            feeds.notifications(self.people[one]).page(mark_seen=True)
        # What joins brings a group back: one that is dismissed is known by all that is in it.
        self.dismissed: set[tuple[User, frozenset[str]]] = set()
        for one, which in drawn["dismissed"]:
            user = self.people[one]
            if shown := list(feeds.notifications(user).page()):
                entry = shown[which % len(shown)]
                assert dismiss(user, entry)
                raw = feeds.notifications(user).feed.get(limit=100)["results"]
                (whole,) = [_ids(one) for one in raw if one["id"] == entry["id"]]
                self.dismissed.add((user, whole))

    @staticmethod
    def _one_of(model: Any, number: int) -> Any:
        rows = list(model.objects.order_by("pk"))
        return rows[number % len(rows)]

    def blocked(self, viewer: User | None, someone: User) -> bool:
        return viewer is not None and not self.blocks.isdisjoint(
            {(viewer.pk, someone.pk), (someone.pk, viewer.pk)}
        )

    def hides(self, viewer: User | None, someone: User) -> bool:
        return viewer is not None and ((viewer.pk, someone.pk) in self.mutes or self.blocked(viewer, someone))

    def shows_moment(self, viewer: User | None, moment: Moment) -> bool:
        return not self.hides(viewer, moment.author) and self.may_read(viewer, moment)

    def may_read(self, viewer: User | None, moment: Moment) -> bool:
        """Whether `visible_to` of the model shows it, whoever is muted or blocked."""
        if moment.audience == "followers" and viewer is not None:
            return viewer == moment.author or (viewer.pk, moment.author_id) in self.follows
        return moment.audience == "all" or viewer == moment.author

    def shows_reaction(self, viewer: User | None, row: Any) -> bool:
        is_secret = row.secret if isinstance(row, Whisper) else int(row.object_id) % 2
        return not (self.hides(viewer, row.user) or (is_secret and viewer != row.user))

    def reactions(self, viewer: User | None, moment: Moment) -> dict[str, list[Any]]:
        """The rows of each kind that a viewer sees below a moment, whoever sees the moment."""
        rows = {"whisper": moment.whispers.all(), "cheer": Cheer.objects.filter(object_id=str(moment.pk))}
        return {
            kind: [one for one in some.order_by("-pk") if self.shows_reaction(viewer, one)]
            for kind, some in rows.items()
        }

    def shows(self, viewer: User | None, activity: dict[str, Any]) -> bool:
        label, pk = activity["foreign_id"].split(":")
        row = self._reaction(activity) if label == "reaction" else self.labels[label].objects.get(pk=pk)
        return getattr(self, f"_shows_{type(row).__name__.lower()}")(viewer, row)

    def _shows_moment(self, viewer: User | None, row: Moment) -> bool:
        return self.shows_moment(viewer, row)

    def _shows_praise(self, viewer: User | None, row: Praise) -> bool:
        return not self.hides(viewer, row.by) and self.shows_moment(viewer, row.moment)

    def _shows_quote(self, viewer: User | None, row: Quote) -> bool:
        return not (self.hides(viewer, row.user) or self.hides(viewer, row.praise.by))

    def _shows_whisper(self, viewer: User | None, row: Whisper) -> bool:
        return self.shows_reaction(viewer, row) and self.shows_moment(viewer, row.moment)

    def _shows_cheer(self, viewer: User | None, row: Cheer) -> bool:
        return self.shows_reaction(viewer, row) and self.shows_moment(viewer, row.thing)

    def _shows_recordedactivity(self, viewer: User | None, row: RecordedActivity) -> bool:
        if self.hides(viewer, User.objects.get(pk=row.actor.partition(":")[2])):
            return False
        label, _, pk = row.object.partition(":")
        if label == "testapp.Moment":
            return self.shows_moment(viewer, Moment.objects.get(pk=pk))
        return not label or not self.hides(viewer, User.objects.get(pk=pk))

    def _reaction(self, activity: dict[str, Any]) -> Any:
        """The row that a notice is of: the id of a reaction does not tell."""
        wanted = activity["foreign_id"].removeprefix("reaction:")
        reaction: Any = feed_manager.client.reactions.get(wanted)
        for row in (*Whisper.objects.all(), *Cheer.objects.all()):
            (publisher,) = publishers_of(type(row))
            if publisher.id_of(row, reaction["activity_id"], reaction["user_id"]) == wanted:  # type: ignore[attr-defined]
                return row
        raise AssertionError(f"{activity} is of no row")

    def expected(self, viewer: User | None, reader: feeds.FeedReader) -> list[list[str]]:
        """The ids of what a reader should show, entry by entry."""
        own = viewer is not None and reader.feed.id == feed_manager.get_notification_feed(viewer).id
        unwanted = self.unwanted.get((viewer, "in_feed"), set()) if own and viewer else set()
        dismissed = [ids for who, ids in self.dismissed if own and who == viewer]
        expected = []
        for entry in reader.feed.get(limit=100)["results"]:
            wanted = (one for one in members(entry) if one["verb"] not in unwanted)
            shown = [one["id"] for one in wanted if self.shows(viewer, one)]
            # Who joined and cannot be shown brings nothing back.
            if shown and not any(ids <= _ids(entry) and ids.issuperset(shown) for ids in dismissed):
                expected.append(shown)
        return expected

    def told_wrongly(self, text: str, shown: list[Any]) -> list[str]:
        """The names of rows and people that stand in a text, though nothing that is shown has them."""
        allowed = {
            str(one[name])
            for entry in shown
            for one in members(entry)
            for name in ("actor", "object", "target")
        }
        rows = [*self.people, *(row for model in self.labels.values() for row in model.objects.all())]
        return [str(row) for row in rows if str(row) not in allowed and str(row) in text]


def _ids(entry: Any) -> frozenset[str]:
    return frozenset(one["id"] for one in members(entry))
