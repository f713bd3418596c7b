"""Files on S3: what only such a storage has, and what happens while it is away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from django.core.files.storage import Storage, storages

from django_stream.server.files import deletions
from django_stream.server.models import FileDeletion, StoredFile
from tests.contract.calling import ok, refused
from tests.db.server.files.pictures import halves, picture, send, upload
from tests.services.conftest import reaper
from tests.services.processes import Reaper
from tests.uploads import names

pytest.importorskip("moto", reason="needs the extra scale")
pytest.importorskip("storages", reason="needs the extra scale")

from tests.scale.s3 import S3

__all__ = ["reaper"]

pytestmark = [pytest.mark.scale, pytest.mark.django_db]


@pytest.fixture(scope="module")
def s3(reaper: Reaper) -> Iterator[S3]:
    s3 = S3(reaper)
    s3.start()
    yield s3
    s3.server.stop()


@pytest.fixture
def bucket(s3: S3, settings) -> Storage:
    settings.STORAGES = {**settings.STORAGES, "default": s3.bucket()}
    return storages["default"]


@pytest.fixture
def direct(settings) -> None:
    settings.STREAM_SERVER_FILE_DIRECT_URLS = True


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("direct")
def test_signed_addresses_are_read_without_us_and_lead_back_to_the_file(bucket: Storage, s3: S3) -> None:
    url = upload("images/", halves())
    assert url.startswith(s3.url)
    assert "Signature" in url
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    small = ok("GET", "images/", url=url, w="20")["file"]
    assert requests.get(small, timeout=10).ok
    fresh = ok("POST", "files/refresh/", {"url": url})["url"]
    assert fresh.partition("?")[0] == url.partition("?")[0]
    ok("DELETE", "images/", url=fresh)
    assert [*names(bucket)] == []
    assert requests.get(url, timeout=10).status_code == 404


@pytest.mark.usefixtures("direct")
@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("page.html", b"<script>alert(1)</script>", "application/octet-stream"),
        ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "application/octet-stream"),
        ("letter.html", picture(), "image/png"),
    ],
    ids=["page", "drawing", "picture"],
)
def test_the_storage_serves_a_file_as_what_it_is_and_not_by_its_name(
    bucket: Storage, name: str, content: bytes, content_type: str
) -> None:
    answer = requests.get(upload("files/", content, name), timeout=10)
    assert answer.headers["Content-Type"] == content_type
    assert answer.content == content


@pytest.mark.usefixtures("direct")
def test_a_public_bucket_has_addresses_without_signature(settings, s3: S3) -> None:
    made = s3.bucket()
    made["OPTIONS"] |= {"querystring_auth": False, "custom_domain": "cdn.example.com"}
    settings.STORAGES = {**settings.STORAGES, "default": made}
    url = upload("files/", b"x", "a.txt")
    assert url.startswith("https://cdn.example.com/below/this/stream/1/")
    assert url.endswith("/a.txt?v=1")
    ok("DELETE", "files/", url=url)


def test_what_was_lost_there_is_not_found(client, bucket: Storage) -> None:
    url = upload("images/", picture())
    for name in names(bucket):
        bucket.delete(name)
    assert client.get(url).status_code == 404
    assert refused("GET", "images/", url=url, w="5") == (404, 16)


@pytest.mark.django_db(transaction=True)
def test_what_could_not_be_deleted_while_it_was_away_is_deleted_later(bucket: Storage, s3: S3) -> None:
    url = upload("files/", b"hello", "a.txt")
    s3.server.pause()
    try:
        ok("DELETE", "files/", url=url)
        assert send("files/", b"x", "b.txt").status >= 500
    finally:
        s3.server.resume()
    assert not StoredFile.objects.exists()
    # That of the upload, too, whose bytes may have arrived or not.
    assert {one.base_name for one in FileDeletion.objects.all()} >= {"a.txt"}
    deletions.delete_due()
    assert not FileDeletion.objects.exists()
    assert not [name for name in names(bucket) if name.endswith("a.txt")]
