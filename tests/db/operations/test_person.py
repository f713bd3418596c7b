"""Everything of one person is exported in a readable form, and nothing of them is found after an erasure."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import Storage
from django.core.management import CommandError, call_command

from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.publishers.mirrors import CollectionDeclaration, CollectionPublisher
from django_stream.backends import get_client
from django_stream.models import Publication
from django_stream.notifications import preferences, set_digest, set_preference
from django_stream.operations.persons import erasure, tables
from django_stream.operations.persons.identity import UnknownPerson, person_of
from django_stream.protocol import limits
from django_stream.protocol.inspection import Inspected
from django_stream.publishing.publisher import publishers_of
from django_stream.server import models as server
from django_stream.server import object_types
from django_stream.server.actions import persons
from django_stream.server.conf import server_settings
from django_stream.server.files import deletions
from django_stream.testing import drain_outbox
from django_stream.tracking import activities_paused
from tests.person import KEY, START, activity_of, cells, found, somebody_who_did_everything
from tests.testapp.models import Album, Article, Opinion
from tests.uploads import keep_in

pytestmark = [pytest.mark.django_db(databases=["default", "other"]), pytest.mark.usefixtures("app_streams")]


@pytest.fixture
def storage(tmp_path: Path, settings: Any) -> Storage:
    return keep_in(settings, tmp_path / "media")


@pytest.fixture(autouse=True)
def _bytes_go_without_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none in a test's transaction; with a real one it is shown by the tests of deleted files."""
    monkeypatch.setattr(deletions, "call_after_commit", lambda using, function, *args: function(*args))


@pytest.fixture
def wanda(storage: Storage) -> User:
    return somebody_who_did_everything()


def told(*args: str) -> tuple[int, list[dict[str, Any]]]:
    out, code = StringIO(), 0
    try:
        call_command("stream_person", *args, "--json", stdout=out)
    except CommandError as error:
        code = error.returncode
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def stays(lines: list[dict[str, Any]]) -> dict[str, str]:
    return {line["stays"].partition(".")[0]: line["why"] for line in lines if "stays" in line}


def test_after_the_rows_are_gone_only_what_the_report_lists_is_found(wanda: User, storage: Storage) -> None:
    before = found(storage)
    assert {"storage", "django_stream_publication", "django_stream_server_streamevent"} <= before
    wanda.delete()

    code, lines = told("erase", str(KEY))

    assert code == 0, lines
    assert found(storage) <= set(stays(lines)), stays(lines)
    assert stays(lines) == {}


def test_rows_of_the_site_that_stay_are_listed(wanda: User, storage: Storage) -> None:
    code, lines = told("erase", "wanda")

    assert code == 0, lines
    listed = {line["stays"]: line["count"] for line in lines if "stays" in line}
    assert listed["auth.User"] == 1
    assert listed["testapp.Article.author"] == 1
    mine = {place for place in found(storage) if place.startswith("django_stream")}
    assert mine <= set(stays(lines))
    assert get_client().feed("user", KEY).get(limit=5)["results"] == []


def test_others_keep_what_is_theirs(wanda: User) -> None:
    ada, grace = User.objects.get(username="ada"), User.objects.get(username="grace")
    told("erase", "wanda")

    of_ada = activity_of(Article.objects.get(title="Rain"))
    assert of_ada["to"] == [f"notification:{grace.pk}"]
    client = get_client()
    assert [one["target_id"] for one in client.feed("timeline", grace.pk).following()["results"]] == [
        f"user:{ada.pk}"
    ]
    (shout,) = client.feed("user", grace.pk).get(limit=1)["results"]
    assert (shout["verb"], shout["to"]) == ("shout", [f"notification:{ada.pk}"])


@pytest.mark.parametrize("number", [0, 1, 5])
def test_what_others_told_them_is_counted(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "_BATCH", 2)
    User.objects.create(pk=KEY, username="wanda")
    posts = [{"actor": "zoe", "verb": "v", "object": "o", "foreign_id": f"z:{one}"} for one in range(number)]
    get_client().feed("notification", KEY).add_activities(posts) if posts else None
    _, lines = told("erase", "wanda")
    counts = {line["what"]: line["erased"] for line in lines if "what" in line}
    assert counts.get("recipients of others' activities", 0) == number


def test_a_second_erasure_finds_nothing_more(wanda: User) -> None:
    wanda.delete()
    told("erase", str(KEY))
    code, lines = told("erase", str(KEY))
    assert code == 0
    assert [line for line in lines if line.get("erased") and not line.get("summary")] == []


def test_the_export_is_readable_and_complete(wanda: User, tmp_path: Path, storage: Storage) -> None:
    file = tmp_path.parent / f"{tmp_path.name}_export.zip"
    code, lines = told("export", "wanda", str(file))

    assert code == 0
    assert file.stat().st_mode & 0o077 == 0, "nobody else can read it"
    with zipfile.ZipFile(file) as archive:
        sections = {
            name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")
        }
        assert {one["verb"] for one in sections["activities.json"]} >= {"publish", "comment", "win"}
        assert sections["profile.json"][0]["data"] == {"name": "Wanda Quillfeather"}
        assert [one["target_id"] for one in sections["following.json"]]
        assert sections["collection_entries.json"][0]["data"] == {"text": "zebra"}
        assert len(sections["reactions.json"]) == 1
        assert len(sections["deleted_reactions.json"]) == 1
        assert sections["notifications.json"]
        assert sections["files.json"][0]["name"] == "zebra.txt"
        assert archive.read("files/0_zebra.txt") == b"a zebra of wanda"
        page = archive.read("index.html").decode()
    assert "Everything that is stored of user 7070707" in page
    assert "My zebra" in page
    assert lines[-1]["items"] == sum(map(len, sections.values()))
    assert told("export", "wanda", str(file))[0] == 2, "a file that is there is not written over"
    file.unlink()


def test_all_follows_are_exported_page_after_page(will: User, tmp_path: Path) -> None:
    number = limits.FOLLOW_REACHABLE + 120
    fans = [{"source": f"timeline:fan{one}", "target": "user:1"} for one in range(number)]
    idols = [{"source": "timeline:1", "target": f"user:fan{one}"} for one in range(number)]
    get_client().follow_many(fans + idols)
    get_client().unfollow_many(fans[:1])

    code, lines = told("export", "pk=1", str(tmp_path / "will.zip"))

    assert code == 0
    counts = {line["section"]: line["count"] for line in lines if "section" in line}
    assert (counts["followers"], counts["following"]) == (number - 1, number)
    assert "follows that the API does not list" not in counts


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_follows_that_an_api_elsewhere_does_not_list_are_counted(
    live_server: Any, settings: Any, will: User, tmp_path: Path
) -> None:
    number = limits.FOLLOW_REACHABLE + 3
    fans = [{"source": f"timeline:fan{one}", "target": "user:1"} for one in range(number)]
    idols = [{"source": "timeline:1", "target": f"user:fan{one}"} for one in range(limits.FOLLOW_REACHABLE)]
    get_client().follow_many(fans + idols)
    settings.STREAM_NETWORK_IN_TESTS = True
    settings.STREAM_API_SECRET = server_settings.own_secret
    settings.STREAM_BACKEND = live_server.url

    _, lines = told("export", "pk=1", str(tmp_path / "will.zip"))

    counts = {line["section"]: line["count"] for line in lines if "section" in line}
    assert (counts["followers"], counts["following"]) == (limits.FOLLOW_REACHABLE,) * 2
    with zipfile.ZipFile(tmp_path / "will.zip") as archive:
        (missing,) = json.loads(archive.read("follows_that_the_API_does_not_list.json"))
    assert missing == {"feed": "user:1", "side": "followers", "count": number, "listed": 500}


def test_a_dry_run_changes_nothing(wanda: User, storage: Storage) -> None:
    before = sorted(cells())
    code, lines = told("erase", "wanda", "--dry-run")
    assert code == 0
    assert lines[-1]["items"] > 10
    assert sorted(cells()) == before


def test_the_audit_log_stays_if_it_has_to(wanda: User) -> None:
    wanda.delete()
    code, lines = told("erase", str(KEY), "--keep-audit-log")
    assert code == 0
    assert "AUDIT_LOG_DAYS" in stays(lines)["django_stream_server_auditlog"]


def test_bytes_that_the_storage_did_not_delete_are_told_until_they_are_gone(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away(self: Storage, name: str) -> None:
        raise OSError("the storage is away")

    somebody_who_did_everything().delete()

    with monkeypatch.context() as patched:
        patched.setattr(type(storage), "delete", is_away)
        for _ in range(2):  # a second run knows of them, too
            code, lines = told("erase", str(KEY))
            assert code == 1
            assert "the storage has not deleted" in stays(lines)["django_stream_server_filedeletion"]
            assert found(storage) == {"storage", "django_stream_server_filedeletion"}
        _, lines = told("export", str(KEY), str(tmp_path / "hers.zip"))
        assert {"section": "deleted files", "count": 1} in lines

    code, lines = told("erase", str(KEY))
    assert (code, stays(lines)) == (0, {})
    assert found(storage) == set()


@pytest.mark.parametrize("number", range(1, 16))
def test_killed_between_its_steps_it_goes_on(wanda: User, storage: Storage, number: int) -> None:
    wanda.delete()
    steps = erasure.erase(person_of(str(KEY), "default"))
    for _ in range(number):
        next(steps)
    steps.close()

    code, lines = told("erase", str(KEY))

    assert code == 0, lines
    assert found(storage) <= set(stays(lines))


def test_what_others_publish_at_that_moment_is_told(wanda: User) -> None:
    Publication.objects.filter(model_label="testapp.Article").update(
        leased_until=datetime(2999, 1, 1, tzinfo=UTC)
    )
    code, lines = told("erase", "wanda")
    assert code == 1
    assert stays(lines)["django_stream_publication"] == "should be gone: run the command again"


def test_who_is_meant() -> None:
    ada = User.objects.create(pk=31, username="ada", email="a@example.org")
    User.objects.create(pk=32, username="31")
    User.objects.create(pk=33, username="eve", email="a@example.org")
    assert person_of("ada", "default").user_ids == {"31"}
    assert person_of("pk=31", "default").feeds >= {"user:31", "timeline:31", "notification:31"}
    assert person_of("999", "default").references >= {"auth.User:999"}
    assert ada.email in person_of("ada", "default").words
    for unclear in ("31", "email=a@example.org", "nobody", "colour=red"):
        with pytest.raises(UnknownPerson):
            person_of(unclear, "default")
        assert told("erase", unclear)[0] == 2


def test_somebody_with_a_longer_key_is_somebody_else(wanda: User) -> None:
    other = User.objects.create(pk=KEY * 10 + 1, username="wandas")
    Article.objects.create(author=other, title="Mine", published_at=START)
    drain_outbox()
    told("erase", "wanda")
    assert len(get_client().feed("user", other.pk).get()["results"]) == 1


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_a_home_elsewhere_erases_what_its_api_can(
    live_server: Any, settings: Any, wanda: User, storage: Storage, tmp_path: Path
) -> None:
    settings.STREAM_NETWORK_IN_TESTS = True
    settings.STREAM_API_SECRET = server_settings.own_secret
    settings.STREAM_BACKEND = live_server.url
    assert not isinstance(get_client().api.transport, Inspected)
    with activities_paused():
        Opinion.objects.filter(user=wanda).delete()
    wanda.delete()

    code, lines = told("erase", str(KEY))

    assert code == 0, lines
    assert "ask who runs it" in stays(lines)["the API"]
    references = [f"auth.User:{KEY}", f"SU:{KEY}", str(KEY)]
    assert not server.Activity.objects.filter(actor__in=references).exists()
    assert not server.Reaction.objects.filter(user_id=KEY).exists()
    assert not server.StreamUser.objects.filter(user_id=KEY).exists()
    assert not server.Placement.objects.filter(feed__user_id=str(KEY)).exists()
    assert not server.Follow.objects.filter(source__user_id=str(KEY)).exists()
    assert not server.Follow.objects.filter(target__user_id=str(KEY)).exists()
    assert not [
        text for table, text in cells() if table.startswith("django_stream_publ") and str(KEY) in text
    ]


@pytest.fixture
def will(storage: Storage) -> User:
    """Somebody with an everyday name and a small key, which others' texts and rows have as well."""
    get_client().streams.create(object_types=["activity", "reaction", "user", "follow", "feed"])
    return User.objects.create(pk=1, username="like", first_name="Will", email="w@example.org")


def test_what_others_have_with_the_same_number_or_word_stays(will: User) -> None:
    client, ada = get_client(), User.objects.create(pk=2, username="ada")
    album = Album.objects.create(pk=1, owner=ada, title="Rain")
    drain_outbox()
    client.feed("topic", 1).add_activity({"actor": "2", "verb": "say", "object": "x", "foreign_id": "t:1"})
    said = client.feed("user", 2).add_activity(
        {"actor": "2", "verb": "say", "object": "x", "text": "This will pass", "level": "1"}
    )
    client.reactions.add("like", said["id"], "2")
    mine = client.feed("user", 1).add_activity({"actor": "1", "verb": "say", "object": "x"})
    client.users.add("1", {"hair": "red"})
    hook = server.StreamWebhook.objects.create(
        stream=server.AppStream.objects.get(), url="https://example.org/"
    )
    letter = {"first_position": 1, "last_position": 2, "error": "500"}
    server.DeadLetter.objects.create(webhook=hook, body='{"kind": "like", "user_id": "2"}', **letter)
    events = server.StreamEvent.objects.filter(data__contains="This will pass")
    before = events.count()
    assert before

    code, lines = told("erase", "pk=1")

    assert code == 0, lines
    assert len(client.feed("topic", 1).get()["results"]) == 1
    assert events.count() == before
    assert server.DeadLetter.objects.count() == 1
    assert Publication.objects.filter(model_label="testapp.Album#collection", object_key=album.pk).exists()
    assert not server.StreamEvent.objects.filter(kind="user", object_id="1").exists()
    assert not server.StreamEvent.objects.filter(object_id=mine["id"], data__contains="actor").exists()
    assert "--feeds" in stays(lines)["django_stream_server_feed"]
    assert "words of others" in stays(lines)["django_stream_server_reactioncount"]

    code, lines = told("erase", "pk=1", "--feeds", "topic")
    assert code == 0, lines
    assert client.feed("topic", 1).get()["results"] == []
    assert "django_stream_server_feed" not in stays(lines)


def test_events_of_other_things_with_the_same_id_stay(will: User) -> None:
    application = server.AppStream.objects.get().application_id

    def note(entity_type: str, entity_id: str, **custom: str) -> int:
        return server.AuditLog.objects.create(
            application_id=application, entity_type=entity_type, entity_id=entity_id, custom=custom
        ).pk

    ids = ["1", "user:1", "notification:1"]
    mine = {note("user", "1"), note("feed", "user:1"), note("notification", "notification:1")}
    mine.add(note("feed", "timeline:2", target="user:1"))
    pairs = [(kind, one) for kind in object_types.KINDS for one in ids]
    others = {
        note(*pair) for pair in pairs if pair[0] not in ("feed", "notification") and pair != ("user", "1")
    }
    others |= {note("feed", "1"), note("reaction", "some", target="user:1")}

    code, lines = told("erase", "pk=1")

    assert code == 0, lines
    left = set(server.AuditLog.objects.values_list("pk", flat=True))
    assert others <= left
    assert mine.isdisjoint(left)


def test_mirrored_rows_that_merely_name_somebody_are_others(
    wanda: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = person_of("wanda", "default")
    ((mirror, rows),) = tables.mirrored(person, "default")
    assert (mirror.model, len(rows)) == (Album, 1)
    (activity,) = (one for one in publishers_of(Album) if isinstance(one, ActivityPublisher))
    declaration = dataclasses.replace(activity.declaration, actor="somebody_else")
    monkeypatch.setattr(activity, "declaration", declaration)
    assert list(tables.mirrored(person, "default")) == []
    assert ("testapp.Album.owner", 1) in tables.site_rows(person, "default")


@pytest.mark.parametrize(("owner", "titles"), [("article.author", ["nice"]), ("user", ["zebra!"])])
def test_a_declared_owner_says_whose_entries_they_are(
    wanda: User, monkeypatch: pytest.MonkeyPatch, owner: str, titles: list[str]
) -> None:
    declaration = CollectionDeclaration(name="opinions", fields=("text",), owner=owner)
    opinions = CollectionPublisher(Opinion, declaration)
    monkeypatch.setattr(tables, "publishers", lambda: [opinions])
    person = person_of("wanda", "default")
    ((mirror, rows),) = tables.mirrored(person, "default")
    assert (mirror, [row.text for row in rows]) == (opinions, titles)

    for opinion in Opinion.objects.all():
        get_client().collections.add("opinions", {"text": opinion.text}, id=str(opinion.pk))
    told("erase", "wanda")
    left = server.CollectionEntry.objects.filter(collection="opinions")
    assert sorted(left.values_list("entry_id", flat=True)) == sorted(
        str(one.pk) for one in Opinion.objects.exclude(text__in=titles)
    )


def test_who_wants_no_emails_gets_none_after_an_erasure(wanda: User, settings: Any) -> None:
    settings.STREAM_NOTIFICATIONS_DIGEST = "weekly"
    set_digest(wanda, "off")
    set_preference(wanda, "like", by_email=False)
    set_preference(wanda, "comment", in_feed=False)

    code, lines = told("erase", "wanda")

    assert code == 0, lines
    assert list(preferences(wanda).verbs) == ["like"]
    assert preferences(wanda).digest == "off"
    refusals = [line["stays"] for line in lines if "a refusal" in line.get("why", "")]
    assert refusals == [
        "django_stream_notifications.Preference",
        "django_stream_notifications.DigestSubscription",
    ]
