"""Deleted means deleted: bytes of files go, however long the storage refuses and whoever is killed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_stream.protocol.messages import Upload
from django_stream.server import tasks
from django_stream.server.actions import files as actions
from django_stream.server.files import deletions
from django_stream.server.models import Application, FileDeletion, StoredFile
from tests.contract.calling import ok
from tests.db.server.files.pictures import picture, send, upload
from tests.uploads import names

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process ends here."""


class Refusing(FileSystemStorage):
    """A storage that is away for as long as a test wants it."""

    error: ClassVar[BaseException | None] = None
    refused: ClassVar[Callable[[str], bool]] = staticmethod(lambda name: True)
    tries: ClassVar[list[str]] = []

    def delete(self, name: str) -> None:
        self.tries.append(name)
        if self.error is not None and self.refused(name):
            raise self.error
        super().delete(name)


@pytest.fixture
def storage(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    made = {"BACKEND": f"{__name__}.Refusing", "OPTIONS": {"location": str(tmp_path / "refusing")}}
    settings.STORAGES = {**settings.STORAGES, "default": made}
    for name, value in (("error", None), ("refused", staticmethod(lambda name: True)), ("tries", [])):
        monkeypatch.setattr(Refusing, name, value)
    return storages["default"]


@pytest.fixture
def away(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setattr(Refusing, "error", OSError("the storage is away"))
    return storage


def comes_back(seconds: float = 61) -> None:
    """The storage answers again, so much later."""
    Refusing.error = None
    moment = timezone.now() - timedelta(seconds=seconds)
    FileDeletion.objects.update(due_at=moment, noted_at=moment)


def maintained() -> str:
    out = StringIO()
    call_command("stream_server_maintain", stdout=out)
    return out.getvalue()


def noted(number: int) -> list[str]:
    """Notes of so many files whose bytes are not even there."""
    made = [f"stream/1/key{one:07}/a.txt" for one in range(number)]
    FileDeletion.objects.note([StoredFile(name=name, application_id=1) for name in made])
    return made


def test_bytes_go_with_the_commit_and_nothing_stays_noted(storage: Storage) -> None:
    url = upload("images/", picture())
    ok("GET", "images/", url=url, w="20")
    assert len([*names(storage)]) == 2
    ok("DELETE", "images/", url=url)
    assert [*names(storage)] == []
    assert not FileDeletion.objects.exists()


def test_a_rollback_leaves_bytes_and_no_note(storage: Storage) -> None:
    upload("files/", b"x")
    with transaction.atomic():
        actions.delete(StoredFile.objects.get())
        transaction.set_rollback(True)
    assert (len([*names(storage)]), StoredFile.objects.count()) == (1, 1)
    assert not FileDeletion.objects.exists()
    assert Refusing.tries == []


@pytest.mark.parametrize("by", ["command", "task"])
def test_what_the_storage_refused_goes_with_the_next_maintenance(
    client: Any, away: Storage, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = upload("images/", picture())
    ok("GET", "images/", url=url, w="20")
    ok("DELETE", "images/", url=url)
    assert client.get(url).status_code == 404
    assert len(Refusing.tries) == 1, "who asked for it waits for one refusal"
    assert (len([*names(away)]), FileDeletion.objects.count()) == (2, 2)
    (line,) = [one.getMessage() for one in caplog.records if "not deleted" in one.getMessage()]
    assert "the storage is away" in line
    assert not any(name.split("/")[2] in line for name in names(away)), "whoever knows the key may read it"

    comes_back(seconds=7200)
    if by == "command":
        assert "the bytes of 2 deleted files are gone from the storage" in maintained()
    else:
        tasks.maintain()
    assert [*names(away)] == []
    assert not FileDeletion.objects.exists()


def test_maintenance_tells_how_many_wait_and_how_old(away: Storage, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        ok("DELETE", "files/", url=upload("files/", b"x"))
    comes_back(seconds=7200)
    Refusing.error = OSError("still away")
    caplog.clear()
    told = maintained()
    assert "3 deleted files have their bytes in the storage still, the oldest for 720" in told
    assert "3 failed now" in told
    assert len([one for one in caplog.records if "still away" in one.getMessage()]) == 3, "each once"


def test_killed_between_the_commit_and_the_storage_it_goes_on(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = upload("files/", b"x")
    monkeypatch.setattr(Refusing, "error", Killed())
    with pytest.raises(Killed):
        ok("DELETE", "files/", url=url)
    assert not StoredFile.objects.exists()
    assert len([*names(storage)]) == 1
    monkeypatch.setattr(Refusing, "error", None)
    maintained()
    assert [*names(storage)] == []
    assert not FileDeletion.objects.exists()


def test_killed_between_the_storage_and_the_note_it_is_deleted_twice_without_harm(storage: Storage) -> None:
    (name,) = noted(1)
    storage.save(name, ContentFile(b"x"))
    storage.delete(name)
    assert deletions.delete_due().gone == 1
    assert not FileDeletion.objects.exists()


def test_a_storage_for_which_what_is_not_there_is_an_error(away: Storage) -> None:
    noted(2)
    Refusing.error = FileNotFoundError("no such file")
    assert deletions.delete_due() == (2, 0, False)


@pytest.mark.parametrize("way", ["application", "applications", "row", "rows"])
def test_whoever_deletes_the_row_the_bytes_go(storage: Storage, way: str) -> None:
    upload("files/", b"x")
    application = StoredFile.objects.get().application
    {
        "application": application.delete,
        "applications": Application.objects.filter(pk=application.pk).delete,
        "row": StoredFile.objects.get().delete,
        "rows": StoredFile.objects.all().delete,
    }[way]()
    assert not StoredFile.objects.exists()
    if way.startswith("row"):
        assert len([*names(storage)]) == 1, "nobody asked for the bytes yet"
        maintained()
    assert [*names(storage)] == []
    assert not FileDeletion.objects.exists()


def test_nothing_but_an_application_takes_files_with_it() -> None:
    """A cascade goes past what notes the bytes: a further one needs a receiver of its own."""
    cascading = [field.name for field in StoredFile._meta.concrete_fields if field.is_relation]
    assert cascading == ["application"]


def test_an_upload_that_gets_no_row_leaves_no_bytes(away: Storage) -> None:
    def fails(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT") and "storedfile" in sql:
            raise OperationalError("the database is away")
        return execute(sql, *rest)

    with connection.execute_wrapper(fails):
        assert send("files/", b"x").status >= 500
    assert len([*names(away)]) == 1
    comes_back()
    maintained()
    assert [*names(away)] == []


def test_an_upload_whose_end_nobody_knows_leaves_no_bytes(storage: Storage, settings: Any) -> None:
    """What a storage is asked to keep may arrive after it was given up."""
    folder = Path(storage.path("stream"))
    folder.parent.mkdir()
    folder.write_bytes(b"")  # where a folder is needed
    assert send("files/", b"x", "a.txt").status >= 500
    assert FileDeletion.objects.get().base_name == "a.txt"
    folder.unlink()
    maintained()
    assert not FileDeletion.objects.exists()


def test_an_upload_killed_before_its_row_leaves_a_note_of_its_bytes(storage: Storage) -> None:
    is_dead = False

    def dies(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal is_dead
        is_dead = is_dead or (sql.startswith("INSERT") and "storedfile" in sql)
        if is_dead:
            raise Killed
        return execute(sql, *rest)

    with connection.execute_wrapper(dies), pytest.raises(Killed):
        actions.store(1, "", Upload("a.txt", BytesIO(b"x"), "text/plain"))
    assert (len([*names(storage)]), FileDeletion.objects.get().base_name) == (1, "a.txt")
    assert "deleted files" not in maintained(), "it may be on its way still"
    assert len([*names(storage)]) == 1
    comes_back()
    maintained()
    assert ([*names(storage)], FileDeletion.objects.count()) == ([], 0)


def test_an_upload_that_was_given_up_gets_no_row(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def arrives_late(self: Refusing, *of: Any, **more: Any) -> str:
        saved = FileSystemStorage.save(self, *of, **more)
        comes_back()
        assert deletions.delete_due().gone == 1
        return saved

    monkeypatch.setattr(Refusing, "save", arrives_late, raising=False)
    answer = send("files/", b"x", "a.txt")
    assert (answer.status, answer.body["detail"]) == (
        400,
        "the file took too long to be stored, and is not kept",
    )
    assert ([*names(storage)], StoredFile.objects.count(), FileDeletion.objects.count()) == ([], 0, 0)


def test_maintenance_leaves_the_rest_when_its_time_is_over(storage: Storage) -> None:
    noted(3)
    assert deletions.delete_due(within=0) == (0, 0, False)
    assert deletions.waiting().number == 3
    assert deletions.delete_due().gone == 3


def test_many_files_of_an_application_go_in_steps(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    application = Application.objects.create()
    made = [
        StoredFile(key=f"k{one}", name=f"stream/2/k{one}/a", size=1, application=application)
        for one in range(1200)
    ]
    StoredFile.objects.bulk_create(made)
    with CaptureQueriesContext(connection) as queries:
        application.delete()
    # Pages of 500, and afterwards one step of bytes.
    assert len([one for one in queries if "filedeletion" in one["sql"]]) < 20
    assert FileDeletion.objects.count() == 1100
    assert deletions.delete_due().gone == 1100


def test_a_step_costs_the_same_however_many_wait(storage: Storage) -> None:
    def cost(number: int) -> int:
        noted(number)
        with CaptureQueriesContext(connection) as queries:
            assert deletions.delete_due().gone == number
        return len(queries)

    steps = {number: cost(number) for number in (100, 300, 1000)}
    each = steps[300] - steps[100]
    assert each % 2 == 0
    assert steps[1000] - steps[300] == each // 2 * 7
    assert each // 2 <= 7


def test_a_storage_that_is_away_is_given_up_after_a_few(away: Storage) -> None:
    noted(250)
    assert deletions.delete_due() == (0, 10, True)
    assert len(Refusing.tries) == 10


def test_what_is_refused_for_ever_keeps_nothing_waiting(away: Storage) -> None:
    made = noted(130)
    stuck = set(made[::9])
    Refusing.refused = staticmethod(lambda name: name in stuck)
    done = deletions.delete_due()
    assert (done.gone, done.failed) == (130 - len(stuck), len(stuck))
    assert sorted(Refusing.tries) == made, "each once"
    assert set(FileDeletion.objects.values_list("pk", flat=True)) == stuck
    assert deletions.delete_due() == (0, 0, False), "not yet again"


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer")
def test_two_at_once_do_it_once_and_without_harm(storage: Storage) -> None:
    for name in (made := noted(400)):
        storage.save(name, ContentFile(b"x"))
    start, found, errors = threading.Barrier(2), [], []

    def work() -> None:
        try:
            start.wait(10)
            found.append(deletions.delete_due())
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert errors == []
    assert [*names(storage)] == []
    assert not FileDeletion.objects.exists()
    assert sorted(Refusing.tries) == made
    assert sum(one.gone for one in found) == 400
