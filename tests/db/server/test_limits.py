"""The last that is allowed is allowed, the first beyond is not, and what is no number decides nothing."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from django_stream.server import tasks
from django_stream.server.fanout import jobs
from django_stream.server.models import FanoutJob, StoredFile
from django_stream.server.ranking.methods import RankingMethod, Subject
from django_stream.server.ranking.parser import FormulaError
from tests.contract.calling import follow, ids, ok, post
from tests.extras import needs

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def score(formula: str, *, ahead: timedelta = timedelta(), defaults: Any = None, **fields: Any) -> float:
    method = RankingMethod({"score": formula, "defaults": defaults}, NOW)
    return method.score(Subject("x", NOW + ahead, fields, {}), {})[0]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 10**400], ids=repr)
def test_a_value_that_is_not_finite_is_no_number(value: float) -> None:
    assert score("popularity", defaults={"popularity": 3}, popularity=value) == 3
    with pytest.raises(FormulaError, match="not a number"):
        score("popularity", popularity=value)


@pytest.mark.parametrize("formula", ["popularity * popularity", "0 - popularity * popularity"])
def test_a_score_that_is_not_finite_is_none(formula: str) -> None:
    with pytest.raises(FormulaError, match="not finite"):
        score(formula, popularity=1e200)
    assert score(formula, defaults={"popularity": 0}, popularity=1e200) == 0


@pytest.mark.parametrize("formula", ["time", "decay_linear(time) - 1", "decay_exp(time) - 1"])
def test_what_is_dated_ahead_is_as_new_as_can_be(formula: str) -> None:
    assert score(formula, ahead=timedelta(days=1)) == score(formula) == 0


@pytest.mark.parametrize("base", ["decay_linear", "decay_exp", "decay_gauss"])
@pytest.mark.parametrize(
    "parameters",
    [{"decay": 1}, {"decay": 0}, {"decay": -0.5}, {"decay": 2}, {"scale": "0d"}, {"scale": -1}],
    ids=str,
)
def test_a_decay_that_never_decays_or_at_once_is_refused(base: str, parameters: dict[str, Any]) -> None:
    options = {"score": "fade(time)", "functions": {"fade": {"base": base, **parameters}}}
    with pytest.raises(ValueError, match="decay must be between 0 and 1, and scale positive"):
        RankingMethod(options, NOW)


@pytest.mark.parametrize(
    ("base", "decay"), [("decay_linear", 0.999), ("decay_exp", 0.001), ("decay_gauss", 0.5)]
)
def test_a_decay_is_reached_at_its_scale(base: str, decay: float) -> None:
    options = {
        "score": "fade(time)",
        "functions": {"fade": {"base": base, "scale": "2d", "offset": "1d", "decay": decay}},
    }
    method = RankingMethod(options, NOW)

    def at(days: float) -> float:
        return method.score(Subject("x", NOW - timedelta(days=days), {}, {}), {})[0]

    assert at(0) == at(1) == 1
    assert at(3) == pytest.approx(decay)
    assert at(3) > at(4) >= 0


@needs("images")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", [{"h": "20"}, {"w": "10", "resize": "crop"}, {"w": "10", "resize": "fill"}], ids=str
)
def test_no_side_of_another_size_is_longer_than_the_limit(
    query: dict[str, str], settings: Any, tmp_path: Any
) -> None:
    from PIL import Image

    from tests.db.server.files.pictures import picture, upload

    settings.MEDIA_ROOT = tmp_path
    settings.STREAM_SERVER_IMAGE_SIDE_MAX = 30
    url = upload("images/", picture("PNG", (400, 40)))
    ok("GET", "images/", url=url, **query)
    made = StoredFile.objects.exclude(source="").get()
    with Image.open(tmp_path / made.name) as image:
        assert max(image.size) == 30 if "h" in query else max(image.size) <= 30


@needs("images")
@pytest.mark.django_db
@pytest.mark.parametrize(("frames", "status"), [(3, 201), (4, 400)])
def test_an_animation_has_so_many_frames_and_no_more(
    frames: int, status: int, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    from django_stream.server.files import images
    from tests.db.server.files.pictures import send

    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(images, "FRAMES_MAX", 3)
    pictures = [Image.new("RGB", (4, 4), (number * 40, 0, 0)) for number in range(frames)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    assert send("images/", file.getvalue()).status == status


@pytest.fixture
def waiting(db: None, settings: Any) -> FanoutJob:
    """A large fan-out that somebody has just begun, with two followers to go."""
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 1
    settings.STREAM_SERVER_FANOUT_CHUNK = 1
    for name in ("timeline:1", "timeline:2"):
        follow(name, "user:1")
    post("user:1")
    return FanoutJob.objects.get()


def reached() -> list[bool]:
    return [bool(ids(name)) for name in ("timeline:1", "timeline:2")]


def age(job: FanoutJob, seconds: float) -> None:
    FanoutJob.objects.filter(pk=job.pk).update(touched_at=timezone.now() - timedelta(seconds=seconds))


def by_task() -> None:
    tasks.maintain()


def by_command() -> None:
    call_command("stream_server_maintain", stdout=StringIO())


def by_function() -> None:
    jobs.resume(300)


@pytest.mark.parametrize("resume", [by_task, by_command, by_function])
def test_a_fanout_that_somebody_works_on_is_left_alone(waiting: FanoutJob, resume: Any) -> None:
    age(waiting, 290)
    resume()
    assert reached() == [False, False]
    age(waiting, 301)
    resume()
    assert reached() == [True, True]
    assert not FanoutJob.objects.exists()


def test_each_chunk_shows_that_somebody_works_on_a_fanout(waiting: FanoutJob) -> None:
    age(waiting, 301)
    assert jobs.run_chunk(waiting.pk)
    assert jobs.resume(300) == 0
    assert reached() == [True, False]


@pytest.mark.parametrize(("followers", "large"), [(2, False), (3, True)])
def test_so_many_followers_are_served_at_once(db: None, settings: Any, followers: int, large: bool) -> None:
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 2
    for number in range(followers):
        follow(f"timeline:{number}", "user:1")
    post("user:1")
    assert FanoutJob.objects.exists() is large
