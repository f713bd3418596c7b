"""Images are made harmless, and other sizes of them are made to measure."""

import contextlib
import io
import threading
import time
from collections import Counter

import pytest

from django_stream.protocol.errors import ApiError
from django_stream.server import turns
from django_stream.server.files import images
from django_stream.server.files.kinds import is_lossy_webp
from django_stream.server.models import StoredFile
from tests.contract.calling import ok, refused, user_token
from tests.db.server.files.pictures import body_of, halves, picture, png_that_claims, send, upload
from tests.uploads import names

Image = pytest.importorskip("PIL.Image", reason="needs the extra images")
from PIL import ImageChops  # noqa: E402

pytestmark = pytest.mark.django_db


def opened(client, url: str) -> Image.Image:
    answer = client.get(url)
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(body_of(answer)))
    image.load()
    return image


def processed(url: str, **query: str) -> str:
    return ok("GET", "images/", url=url, **query)["file"]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_is_served_as_what_it_is(client, form):
    url = upload("images/", picture(form), "picture.bin")
    answer = client.get(url)
    assert answer["Content-Type"] == f"image/{form.lower()}"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert body_of(answer).startswith(picture(form)[:3])
    assert opened(client, url).size == (40, 20)


@pytest.mark.parametrize(
    "content",
    [
        b"plain text",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM1234",
    ],
    ids=["text", "svg", "bitmap"],
)
def test_what_is_no_image_is_refused_by_the_type_found_inside(content, media):
    answer = send("images/", content, "picture.png")
    assert (answer.status, answer.body["code"]) == (400, 4)
    assert answer.body["detail"] == "File type application/octet-stream is not supported"
    assert not [*names(media)]


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG"])
def test_metadata_are_removed(client, form):
    exif = Image.Exif()
    exif[0x010E] = "made at home"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    options = {"comment": b"secret"} if form == "JPEG" else {}
    image = opened(client, upload("images/", picture(form, exif=exif, **options)))
    assert dict(image.getexif()) == {}
    assert not {"exif", "comment", "xmp", "XML:com.adobe.xmp"} & set(image.info)


def test_texts_inside_a_png_are_removed(client):
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Author", "me")
    notes.add_itxt("XML:com.adobe.xmp", "<x/>")
    assert opened(client, upload("images/", picture(pnginfo=notes))).info == {}


def test_an_image_is_turned_upright(client):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = opened(client, upload("images/", halves("JPEG", exif=exif, quality=95)))
    assert image.size == (20, 40)
    top, bottom = image.getpixel((10, 5)), image.getpixel((10, 35))
    assert top[0] > 200 > 60 > top[2]
    assert bottom[2] > 200 > 60 > bottom[0]


def test_an_animation_keeps_its_frames_and_times(client):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=[50, 60, 70], comment=b"x")
    image = opened(client, upload("images/", file.getvalue()))
    assert (image.n_frames, image.info.get("comment")) == (3, None)
    times = []
    for index in range(3):
        image.seek(index)
        times.append(image.info["duration"])
    assert times == [50, 60, 70]


@pytest.mark.parametrize(
    "content",
    [png_that_claims(60_000, 60_000), png_that_claims(8_000, 8_000)],
    ids=["beyond Pillow's limit", "beyond ours"],
)
def test_an_image_that_unpacks_to_too_much_is_refused_before_it_does(content, media):
    started = time.monotonic()
    answer = send("images/", content)
    assert (answer.status, answer.body["code"]) == (400, 4)
    assert "pixels" in answer.body["detail"]
    assert time.monotonic() - started < 1
    assert not [*names(media)]


def test_an_animation_that_unpacks_to_too_much_is_refused(settings, media):
    settings.STREAM_SERVER_IMAGE_PIXELS_MAX = 40 * 20 * 3
    frames = [Image.new("RGB", (40, 20), (n, 0, 0)) for n in range(10)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert "pixels" in send("images/", file.getvalue()).body["detail"]
    assert not [*names(media)]


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ({"w": "20"}, (20, 10)),
        ({"h": "5"}, (10, 5)),
        ({"w": "20", "h": "20"}, (20, 10)),
        ({"w": "80", "h": "80"}, (40, 20)),
        ({"w": "20", "h": "20", "resize": "crop"}, (20, 20)),
        ({"w": "10", "resize": "crop"}, (10, 20)),
        ({"w": "30", "h": "30", "resize": "scale"}, (30, 30)),
        ({"w": "30", "h": "30", "resize": "fill"}, (30, 30)),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_each_mode_makes_its_size(client, query, size):
    assert opened(client, processed(upload("images/", halves()), **query)).size == size


@pytest.mark.parametrize(
    ("crop", "color"), [("left", (255, 0, 0)), ("right", (0, 0, 255)), ("top,right", (0, 0, 255))]
)
def test_a_crop_keeps_the_side_that_is_named(client, crop, color):
    url = processed(upload("images/", halves()), w="20", h="20", resize="crop", crop=crop)
    assert opened(client, url).getpixel((10, 10)) == color


def test_fill_pads_and_keeps_what_was_there(client):
    image = opened(client, processed(upload("images/", picture()), w="40", h="40", resize="fill"))
    assert (image.getpixel((20, 2)), image.getpixel((20, 20))) == ((255, 255, 255), (255, 0, 0))


def test_the_same_size_is_made_once_and_can_be_processed_again(client):
    url = upload("images/", halves())
    small = processed(url, w="20")
    assert processed(url, w="20") == small
    assert StoredFile.objects.count() == 2
    assert opened(client, processed(small, w="10")).size == (10, 5)


@pytest.mark.django_db(transaction=True)
def test_a_deleted_image_is_gone_in_every_size(client, media):
    url, other = upload("images/", halves()), upload("images/", picture())
    small = processed(url, w="20")
    tiny = processed(small, w="10")
    ok("DELETE", "images/", url=url)
    assert [client.get(gone).status_code for gone in (url, small, tiny)] == [404] * 3
    assert StoredFile.objects.count() == len([*names(media)]) == 1
    assert opened(client, other).size == (40, 20)


def test_an_image_has_so_many_sizes_and_no_more(settings):
    settings.STREAM_SERVER_IMAGE_SIZES_MAX = 3
    url = upload("images/", halves())
    first = processed(url, w="20")
    processed(first, w="5")
    processed(url, w="6")
    for start in (url, first):
        assert refused("GET", "images/", url=start, w="7") == (400, 4)
    assert processed(url, w="20") == first


def test_sizes_of_sizes_of_sizes_count_as_well(settings):
    settings.STREAM_SERVER_IMAGE_SIZES_MAX = 4
    smallest = upload("images/", halves())
    for width in ("30", "20", "10"):
        smallest = processed(smallest, w=width)
    processed(smallest, w="9")
    assert refused("GET", "images/", url=smallest, w="8") == (400, 4)
    assert StoredFile.objects.count() == 5


def test_no_size_is_made_of_an_image_that_is_deleted_meanwhile(media, monkeypatch):
    url = upload("images/", halves())

    def resized_too_late(file, resizing):
        made = resized(file, resizing)
        ok("DELETE", "images/", url=url)
        return made

    resized = images.resized
    monkeypatch.setattr(images, "resized", resized_too_late)
    assert refused("GET", "images/", url=url, w="20")[0] == 404
    assert not StoredFile.objects.exists()


def frames_of(form: str, **options) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGBA", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(file, form, save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "lossy"),
    [
        (picture("WEBP", quality=80), True),
        (picture("WEBP", lossless=True), False),
        (picture("WEBP", lossless=True, exif=b"Exif", icc_profile=b"x" * 999), False),
        (picture("WEBP", quality=80, exif=b"Exif"), True),
        (frames_of("WEBP", lossless=True), False),
        (frames_of("WEBP", quality=50), True),
    ],
    ids=["lossy", "lossless", "lossless with profile", "lossy with exif", "lossless frames", "lossy frames"],
)
def test_a_webp_is_known_by_its_first_picture(content, lossy):
    assert is_lossy_webp(io.BytesIO(content)) is lossy


def test_a_lossy_webp_does_not_grow_to_a_lossless_one(client):
    photo = Image.effect_noise((200, 200), 80).convert("RGB")
    file = io.BytesIO()
    photo.save(file, "WEBP", quality=50)
    kept = body_of(client.get(upload("images/", file.getvalue())))
    assert is_lossy_webp(io.BytesIO(kept))
    assert len(kept) < 3 * len(file.getvalue())


@pytest.mark.parametrize(
    ("form", "most"), [("PNG", (11, 3)), ("GIF", (11, 3)), ("WEBP", (7, 2)), ("JPEG", (10, 10))]
)
def test_a_type_that_is_dear_to_unpack_may_have_fewer_pixels(settings, form, most):
    settings.STREAM_SERVER_IMAGE_PIXELS_MAX = 100
    assert send("images/", picture(form, size=most)).status == 201
    assert "pixels" in send("images/", picture(form, size=(most[0] + 1, most[1]))).body["detail"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (picture("JPEG", (400, 400))[:-500], "the image/jpeg image is damaged or cut off"),
        (picture("PNG")[:60], "the image/png image is damaged or cut off"),
        (b"GIF89a", "the image/gif image is damaged or cut off"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "File type image/heic is not supported"),
    ],
    ids=["cut jpeg", "cut png", "cut gif", "heic"],
)
def test_a_refusal_says_what_the_file_is(content, told):
    assert send("images/", content).body["detail"] == told


def test_few_images_are_worked_on_at_once(monkeypatch):
    monkeypatch.setattr(turns.images, "patience", 0.0)
    with contextlib.ExitStack() as others:
        for _ in range(turns.images.at_once):
            assert send("images/", picture()).status == 201
            others.enter_context(turns.images.turn(1, ""))
        answer = send("images/", picture())
        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
    assert send("images/", picture()).status == 201


def test_few_requests_wait_for_images_and_no_user_takes_all_turns():
    """Each that waits holds a thread of the server; the others are refused at once."""
    finished, refused_ones = threading.Event(), Counter()
    here = turns.Turns("images", at_once=2, waiting=4, each=3, patience=9.0)

    def ask(user: str) -> None:
        try:
            with here.turn(1, user):
                finished.wait(10)
        except ApiError as error:
            refused_ones[user] += error.http_status == 429

    def asked(user: str, times: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=ask, args=[user]) for _ in range(times)]
        for thread in threads:
            thread.start()
        while sum(here._of_users.values()) + refused_ones.total() < len(everybody) + times:  # noqa: SLF001
            threads[0].join(0.01)
        return threads

    everybody: list[threading.Thread] = []
    everybody += asked("eve", 5)
    assert refused_ones == {"eve": 5 - 3}
    everybody += asked("", 8)
    assert refused_ones == {"eve": 5 - 3, "": 8 - 3}
    finished.set()
    for thread in everybody:
        thread.join(10)
    assert not here._of_users  # noqa: SLF001
    with here.turn(1, "eve"):
        pass


@pytest.mark.parametrize(
    "query",
    [
        {"w": "0"},
        {"w": "0.5"},
        {"w": "1e3"},
        {"w": "nan"},
        {"w": "-1"},
        {"w": "x"},
        {"w": "99999"},
        {"w": "5", "resize": "stretch"},
        {"w": "5", "resize": "crop", "crop": "middle"},
    ],
    ids=str,
)
def test_bad_sizes_and_modes_are_refused(query):
    url = upload("images/", picture())
    assert refused("GET", "images/", url=url, **query) == (400, 4)
    assert StoredFile.objects.count() == 1


def test_sizes_are_numbers_and_none_is_the_image_as_it_is(client):
    url = upload("images/", halves())
    assert opened(client, processed(url, w="10.5")).size == (10, 5)
    assert processed(url, w="10.5") == processed(url, w="10")
    assert processed(url) == processed(url, resize="crop", crop="left") == url


def test_only_the_uploader_processes_an_image():
    url = upload("images/", picture(), auth=user_token("eve"))
    assert refused("GET", "images/", auth=user_token("bob"), url=url, w="5") == (403, 17)
    ok("GET", "images/", auth=user_token("eve"), url=url, w="5")


def test_what_is_no_image_cannot_be_processed():
    assert refused("GET", "images/", url=upload("files/", b"x"), w="5") == (400, 4)


def animation(form: str, **options) -> bytes:
    """Four frames of 40 by 40, in each of which another square of 10 by 10 is red."""
    frames = []
    for place in range(0, 40, 10):
        frame = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        frame.paste("red", (place, place, place + 10, place + 10))
        frames.append(frame)
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:], duration=50, **options)
    return file.getvalue()


def profile(colours: bytes) -> bytes:
    return b"\0" * 12 + b"mntr" + colours + b"XYZ " + b"\0" * 104


def test_frames_that_clear_themselves_leave_no_trails(client):
    image = opened(client, upload("images/", animation("GIF", disposal=2, loop=3)))
    assert image.info["loop"] == 3
    for index in range(4):
        image.seek(index)
        frame = image.convert("RGBA")
        assert sorted(count for count, _ in frame.getcolors()) == [100, 1500]
        assert frame.getpixel((10 * index + 5, 10 * index + 5)) == (255, 0, 0, 255)


def test_an_animation_that_plays_once_plays_once(client):
    assert "loop" not in opened(client, upload("images/", animation("GIF", disposal=2))).info


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_animation_keeps_its_colour_profile(client, form):
    kept = opened(client, upload("images/", animation(form, icc_profile=profile(b"RGB "))))
    assert (kept.info["icc_profile"], kept.n_frames) == (profile(b"RGB "), 4)


@pytest.mark.parametrize("lossless", [True, False])
def test_frames_of_a_webp_stay_lossless_or_lossy(client, lossless):
    kept = body_of(client.get(upload("images/", animation("WEBP", lossless=lossless))))
    assert is_lossy_webp(io.BytesIO(kept)) is not lossless


def test_gray_of_16_bits_stays_gray(client):
    file = io.BytesIO()
    Image.new("I;16", (40, 20), 30_000).save(file, "PNG")
    url = upload("images/", file.getvalue())
    assert opened(client, url).getpixel((5, 5)) == 30_000
    for mode in ("clip", "crop", "scale", "fill"):
        small = opened(client, processed(url, w="10", h="10", resize=mode))
        assert small.getpixel((small.width // 2, small.height // 2)) == 30_000 // 256


def test_a_smaller_picture_has_no_profile_of_other_colours(client):
    file = io.BytesIO()
    Image.new("CMYK", (40, 20), (0, 255, 255, 0)).save(file, "JPEG", icc_profile=profile(b"CMYK"))
    url = upload("images/", file.getvalue())
    assert opened(client, url).info["icc_profile"] == profile(b"CMYK")
    small = opened(client, processed(url, w="10"))
    assert ("icc_profile" in small.info, small.mode) == (False, "RGB")
    red = upload("images/", picture("JPEG", icc_profile=profile(b"RGB ")))
    assert opened(client, processed(red, w="10")).info["icc_profile"] == profile(b"RGB ")


def test_a_jpeg_with_a_second_picture_is_as_fine_as_before(client):
    photo = Image.effect_noise((64, 64), 80).convert("RGB")
    file = io.BytesIO()
    photo.save(file, "MPO", save_all=True, append_images=[photo.copy()], quality=97, subsampling=0)
    before = Image.open(io.BytesIO(file.getvalue()))
    assert before.format == "MPO"
    after = opened(client, upload("images/", file.getvalue()))
    assert after.quantization == before.quantization
    difference = ImageChops.difference(after.convert("L"), before.convert("L"))
    assert difference.getextrema()[1] <= 6


def test_a_size_of_an_image_whose_content_is_lost_is_not_found(media):
    url = upload("images/", picture())
    for name in names(media):
        media.delete(name)
    assert refused("GET", "images/", url=url, w="5") == (404, 16)
    assert StoredFile.objects.count() == 1
