"""Files, images and open graph data, reached as clients reach them."""

import io

import pytest

from django_stream.protocol.messages import Upload
from tests.extras import needs


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def picture() -> bytes:
    Image = pytest.importorskip("PIL.Image", reason="needs the extra images")
    file = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(file, "PNG")
    return file.getvalue()


def test_a_file_comes_and_goes(api):
    url = api.upload("files/", b"hello", "hello.txt")
    assert "hello.txt?" in url
    assert api.ok("POST", "files/refresh/", {"url": url})["url"] == url
    assert api.ok("DELETE", "files/", url=url) == {}
    assert api.refused("DELETE", "files/", url=url) == (404, 16)


def test_an_image_comes_in_every_size(api):
    url = api.upload("images/", picture(), "picture.png")
    small = api.ok("GET", "images/", url=url, w=10)["file"]
    assert small != url
    assert "picture.png?" in small
    api.ok("DELETE", "images/", url=small)
    api.ok("DELETE", "images/", url=url)


@needs("images")
def test_a_text_is_no_image(api):
    text = Upload("helloworld.txt", io.BytesIO(b"just text"))
    answer = api.call("POST", "images/", upload=text)
    assert (answer.status, answer.body["detail"]) == (
        400,
        "File type application/octet-stream is not supported",
    )


def test_an_upload_needs_a_file(api):
    assert api.refused("POST", "files/", {}) == (400, 4)


def test_what_is_not_the_users_is_refused(api):
    url = api.as_user("eve").upload("files/", b"x", "x.txt")
    assert api.as_user("bob").refused("DELETE", "files/", url=url) == (403, 17)


@needs("opengraph")
@pytest.mark.parametrize("url", ["", "nonsense", "http://127.0.0.1/", "file:///etc/passwd"])
def test_open_graph_data_of_what_is_no_public_page_are_refused(api, url):
    answer = api.call("GET", "og/", url=url)
    assert (answer.status, answer.body["code"]) == (400, 4)
    assert answer.body["exception_fields"]["url"]


@needs("opengraph")
def test_the_refusal_of_a_page_without_data_is_the_documented_one(api):
    answer = api.call("GET", "og/", url="http://no-such-host.invalid/")
    body = answer.body
    assert body.pop("duration").endswith("ms")
    assert body == {
        "detail": "couldn't find og data for the provided url",
        "status_code": 400,
        "code": 4,
        "exception": "InputException",
        "more_info": "https://getstream.io/docs/api_error_responses",
    }
