"""Files are kept, served harmlessly and deleted by their owners."""

import io

import pytest
from django.core.files.base import ContentFile

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.protocol.messages import ApiRequest, Upload
from django_stream.server.dispatch import handle
from django_stream.server.files import deletions
from django_stream.server.files.kinds import HEAD_BYTES, content_type_of
from django_stream.server.models import ApiKey, Application, FileDeletion, StoredFile
from tests.contract.calling import Api, ok, refused, token, user_token
from tests.db.server.files.pictures import body_of, picture, send, upload
from tests.uploads import names

pytestmark = pytest.mark.django_db


def stored(media) -> list[str]:
    return sorted(name.rpartition("/")[2] for name in names(media))


def test_an_upload_is_read_at_its_address_under_its_own_name(client):
    url = upload("files/", b"hello", "hello world.txt")
    assert "/hello_world.txt?" in url
    answer = client.get(url)
    assert (answer.status_code, body_of(answer)) == (200, b"hello")


def test_a_file_is_an_attachment_that_no_browser_interprets(client):
    page = b"<script>alert(1)</script>"
    answer = client.get(upload("files/", page, "page.html"))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert body_of(answer) == page


def test_content_decides_what_a_file_is(client):
    answer = client.get(upload("files/", picture(), "letter.pdf"))
    assert answer["Content-Type"] == "image/png"
    assert body_of(answer) == picture()


def test_types_can_be_restricted_by_content(settings, media):
    settings.STREAM_SERVER_FILE_TYPES = ("application/pdf",)
    answer = send("files/", b"MZ not a pdf", "paper.pdf")
    assert (answer.status, answer.body["detail"]) == (
        400,
        "File type application/octet-stream is not supported",
    )
    assert stored(media) == []
    upload("files/", b"%PDF-1.7 ...", "paper.pdf")


def test_a_file_beyond_the_limit_is_refused_while_it_arrives(settings, media):
    settings.STREAM_SERVER_FILE_BYTES_MAX = 100_000

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            self.given += size
            return b"x" * size

    stream = Endless()
    answer = handle(ApiRequest("POST", "files/", EMBEDDED_API_KEY, token(), upload=Upload("a", stream, None)))
    assert (answer.status, answer.body["code"]) == (413, 18)
    assert stream.given < 200_000
    assert stored(media) == []
    assert not StoredFile.objects.exists()


def test_a_multipart_body_beyond_the_limit_is_refused(client, settings, media):
    settings.STREAM_SERVER_FILE_BYTES_MAX = 1000
    for size in (1001, 200_000):
        answer = client.post(
            f"/api/v1.0/files/?api_key={EMBEDDED_API_KEY}",
            {"file": io.BytesIO(b"x" * size)},
            headers={"Authorization": token(), "Stream-Auth-Type": "jwt"},
        )
        assert (answer.status_code, answer.json()["code"]) == (413, 18)
    assert stored(media) == []


def test_an_empty_file_and_a_missing_one_are_refused(client):
    answer = send("files/", b"")
    assert (answer.status, answer.body["exception_fields"]) == (400, {"file": ["the file is empty"]})
    assert refused("POST", "files/", {}) == (400, 4)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.txt", "x.txt"),
        ("..", "file"),
        ("", "file"),
        ("a" * 300 + ".txt", "a" * 96 + ".txt"),
        ("grüße.txt", "grüße.txt"),
        ('a"b\n.txt', "ab.txt"),
        ("漢" * 100 + ".txt", "漢" * 32 + ".txt"),
        ("漢" * 100, "漢" * 33),
        ("\U0001f600.png", "file.png"),
        (".png", "file.png"),
        ("ends with a dot.", "ends_with_a_dot."),
    ],
)
def test_names_stay_inside_the_storage(name, kept, media):
    upload("files/", b"x", name)
    assert stored(media) == [kept]
    assert StoredFile.objects.get().name.startswith("stream/1/")


@pytest.mark.django_db(transaction=True)
def test_deleting_takes_the_bytes_too(client, media):
    url = upload("files/", b"x")
    ok("DELETE", "files/", url=url)
    assert stored(media) == []
    assert client.get(url).status_code == 404
    assert refused("DELETE", "files/", url=url) == (404, 16)


@pytest.mark.django_db(transaction=True)
def test_what_the_storage_cannot_delete_is_still_known(client, media):
    url = upload("files/", b"x")
    (name,) = names(media)
    media.delete(name)
    media.save(f"{name}/in the way", ContentFile(b"x"))  # no folder is deleted that is not empty
    ok("DELETE", "files/", url=url)
    assert client.get(url).status_code == 404
    assert FileDeletion.objects.get().name == name
    media.delete(f"{name}/in the way")
    deletions.delete_due()
    assert not FileDeletion.objects.exists()


def test_users_delete_and_refresh_only_what_they_uploaded(media):
    url = upload("files/", b"x", auth=user_token("eve"))
    for method, body, query in (
        ("DELETE", None, {"url": url}),
        ("POST", {"url": url}, {}),
    ):
        path = "files/" if method == "DELETE" else "files/refresh/"
        assert refused(method, path, body, auth=user_token("bob"), **query) == (403, 17)
    assert len(stored(media)) == 1
    assert ok("POST", "files/refresh/", {"url": url}, auth=user_token("eve"))["url"] == url
    ok("DELETE", "files/", auth=user_token("eve"), url=url)


def test_files_of_another_application_do_not_exist():
    url = upload("files/", b"x")
    key = ApiKey.objects.create(application=Application.objects.create())
    other = Api(api_key=key.key, secret=key.secret())
    assert other.refused("DELETE", "files/", url=url) == (404, 16)
    assert StoredFile.objects.count() == 1


@pytest.mark.parametrize("url", ["", "x", "http://[", "/api/v1.0/media/none/a.png", "//"])
def test_an_address_that_is_none_of_ours_is_refused(url):
    refusal = refused("DELETE", "files/", url=url)
    assert refusal == ((404, 16) if url else (400, 4))


def test_the_storage_may_serve_its_files_itself(settings):
    settings.STREAM_SERVER_FILE_DIRECT_URLS = True
    settings.MEDIA_URL = "https://cdn.example.com/"
    url = upload("files/", b"x", "a.txt")
    assert url.startswith("https://cdn.example.com/stream/1/")
    assert url.endswith("/a.txt?v=1")
    ok("DELETE", "files/", url=url)


def test_addresses_are_absolute_over_http_and_where_the_setting_says_so(client, settings):
    answer = client.post(
        f"/api/v1.0/files/?api_key={EMBEDDED_API_KEY}",
        {"file": io.BytesIO(b"x")},
        headers={"Authorization": token(), "Stream-Auth-Type": "jwt"},
    )
    assert answer.json()["file"].startswith("http://testserver/api/v1.0/media/")
    settings.STREAM_SERVER_PUBLIC_URL = "https://feeds.example.com/"
    assert upload("files/", b"x").startswith("https://feeds.example.com/api/v1.0/media/")


def boxed(main: bytes, *others: bytes) -> bytes:
    """The beginning of a file with a list of brands."""
    brands = main + b"\0\0\0\0" + b"".join(others)
    return (len(brands) + 8).to_bytes(4, "big") + b"ftyp" + brands + b"\0\0\0\0mdat"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (boxed(b"heic", b"mif1", b"heic"), "image/heic"),
        (boxed(b"mif1", b"mif1", b"heic", b"miaf"), "image/heic"),
        (boxed(b"msf1", b"hevc"), "image/heic"),
        (boxed(b"mif1", b"avif", b"miaf"), "image/avif"),
        (boxed(b"avis", b"msf1", b"iso8"), "image/avif"),
        (boxed(b"mif1", b"miaf"), "image/heif"),
        (boxed(b"qt  ", b"qt  "), "video/quicktime"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        (boxed(b"M4A ", b"isom", b"mp42"), "audio/mp4"),
        (boxed(b"M4B ", b"isom"), "audio/mp4"),
        (boxed(b"3gp4", b"isom"), "video/3gpp"),
        (boxed(b"isom", b"iso2", b"avc1", b"mp41"), "video/mp4"),
        (boxed(b"mp42", b"M4A ", b"qt  "), "video/mp4"),
        (b"\0\0\0\x00ftyp", "video/mp4"),
    ],
)
def test_files_of_brands_are_known_by_them(content, content_type):
    assert content_type_of(content[:HEAD_BYTES]) == content_type


def test_a_storage_that_fails_is_told_by_the_envelope(client, media, monkeypatch, caplog):
    url = upload("files/", b"hello", "hello.txt")

    def fail(name: str) -> None:
        raise OSError(5, "out of reach", name)

    monkeypatch.setattr(media, "_open", lambda name, mode: fail(name))
    answer = client.get(url)
    assert (answer.status_code, answer.json()["exception"]) == (500, "InternalException")
    (ours,) = [record for record in caplog.records if record.name == "django_stream.server"]
    assert "out of reach" in ours.getMessage()
    assert StoredFile.objects.get().key not in ours.getMessage()
