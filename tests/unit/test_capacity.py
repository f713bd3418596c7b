"""The capacity model: arithmetic from costs, and the stages that follow from it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.capacity import pulling, tables
from benchmarks.capacity.__main__ import SIZES, main
from benchmarks.capacity.costs import Cost, Costs
from benchmarks.capacity.sites import Hardware, Load, Population, Prices
from benchmarks.capacity.stages import stages
from benchmarks.simulation.population import power_law

PAGE = Path(__file__).parents[2] / "docs/scaling.md"
COSTS = Costs(
    measured="at some time",
    save=Cost(1.0, 0.5, 700),
    page=Cost(3.0, 1.0, 0),
    drain=Cost(8.0, 4.0, 4000),
    activity=Cost(0.5, 0.25, 3500),
    follower=Cost(0.001, 0.009, 250),
    pulled=Cost(0.0, 0.02, 0),
    follower_on_cluster=Cost(0.1, 0.01, 5),
    redis_follower=0.03,
    wal_first_touch=5000,
    process_bytes=100e6,
    activity_bytes=1500,
    entry_bytes=130,
    follow_bytes=200,
    redis_entry_bytes=125,
)
# Each of 864,000 users posts once and reads ten pages a day: ten posts and a hundred pages a second.
TEN_A_SECOND = Population(864_000, active=1.0, posts=1.0, pages=10.0, follows=100, peak=1.0)


def test_a_load_is_what_its_steps_take() -> None:
    load = Load(TEN_A_SECOND, COSTS)
    assert (load.posts, load.pages, load.entries) == pytest.approx((10, 100, 1000))
    assert load.busy == pytest.approx(
        {
            "web processes": 10 * 0.001 + 100 * 0.003,
            "workers": 10 * 0.008 + 1000 * 0.000001,
            "the primary": 10 * (0.0005 + 0.004) + 1000 * 0.000009,
            "the database, for pages": 100 * 0.001,
        }
    )
    assert load.log_least == pytest.approx((10 * 4700 + 1000 * 250) / 1e6)
    assert load.log_most == pytest.approx((10 * 4700 + 1000 * 5000) / 1e6)
    year = 365 * 86_400
    assert load.record == pytest.approx((10 * year * 1500 + 864_000 * 100 * 200) / 1e9)
    assert load.timelines == pytest.approx(1000 * year * 130 / 1e9)
    a_day = 86_400 * (10 * 1500 + 1000 * 130) / 1e9
    assert load.full_after == pytest.approx((16_000 - 864_000 * 100 * 200 / 1e9) / a_day)


def test_many_posts_share_a_drain() -> None:
    many = replace(TEN_A_SECOND, users=8_640_000)
    assert Load(many, COSTS).workers == pytest.approx(100 * (0.2 * 0.008 + 0.8 * 0.0005) + 10_000 * 0.000001)


def test_the_peak_and_the_spare_cores_are_what_is_bought() -> None:
    load = Load(replace(TEN_A_SECOND, peak=3.0), COSTS, Hardware(utilisation=0.5))
    assert load.cores(load.web) == 2  # 3 times 0.31 of a core, half busy
    assert load.timelines == Load(TEN_A_SECOND, COSTS).timelines
    money = load.money(Prices(core_hour=1.0, disk_gb_month=0.0, memory_gb_month=0.0), 4)
    assert money == pytest.approx(4 * 730)


def test_a_cluster_has_the_timelines_of_a_weeks_readers_twice() -> None:
    load = Load(replace(TEN_A_SECOND, active=0.2), COSTS, on_cluster=True, length=1000)
    assert load.timelines == 0
    assert load.redis_memory == pytest.approx(2 * 0.4 * 864_000 * 1000 * 125 / 1e9)
    assert load.busy["masters of Redis"] == pytest.approx(load.entries * 0.00003)


@pytest.mark.parametrize("most", [500, 5_000, 20_000])
def test_the_share_of_large_followings_is_that_of_the_population(most: int) -> None:
    followers = power_law(100_000, 50)
    counted = sum(count for count in followers if count > most) / (100_000 * 50)
    assert Population(100_000, follows=50).share_above(most) == pytest.approx(counted, abs=0.005)


def test_the_number_to_pull_from_leaves_few_such_feeds_on_a_page() -> None:
    population = Population(1_000_000, follows=100)
    most = population.push_followers_max(20.0)
    assert population.share_above(most) * 100 <= 20 < population.share_above(most * 0.9) * 100


def test_what_is_pulled_is_written_once_and_merged_by_each_page() -> None:
    most = TEN_A_SECOND.push_followers_max()
    pushed, hybrid = Load(TEN_A_SECOND, COSTS), Load(TEN_A_SECOND, COSTS, push_followers_max=most)
    assert hybrid.entries == pytest.approx(0.8 * pushed.entries, rel=0.02)
    assert hybrid.reads == pytest.approx(pushed.reads + 100 * 20 * 0.00002, rel=0.02)


def test_pulling_pays_for_who_posts_more_than_others_read() -> None:
    assert pulling.pays_from(2.0, COSTS, Prices()) == pytest.approx(2 * 0.02 / 0.01)
    kept = pulling.pays_from(2.0, COSTS, Prices(core_hour=3.6, disk_gb_month=1.0), months=10)
    assert kept == pytest.approx(2 * 0.02e-6 / (0.01e-6 + 2 * 130e-9 * 10))


def test_each_stage_says_why_the_one_before_ends() -> None:
    assert [stage.ends for stage in stages(Load(Population(10_000), COSTS))] == [()]
    found = list(stages(Load(Population(100_000_000), COSTS)))
    assert [bool(stage.ends) for stage in found] == [True] * (len(found) - 1) + [False]
    assert found[-1].load.on_cluster
    far = list(stages(Load(Population(10_000_000_000), COSTS)))
    assert all(stage.ends for stage in far)
    assert "out of scope" in "\n".join(tables.site(far[0].load, Prices()))


def test_the_example_of_the_documentation_computes(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = (line for line in PAGE.read_text().splitlines() if "benchmarks.capacity --computed" in line)
    assert main(shlex.split(line)[3:]) == 0
    told = capsys.readouterr().out
    assert "### 200,000 users" in told
    load = Load(Population(200_000, active=0.1, posts=2.0, pages=30.0), Costs.kept())
    assert "\n".join(tables.site(load, Prices(core_hour=0.06))) in told


def test_costs_come_back_as_they_were_kept(tmp_path: Path) -> None:
    COSTS.save_to(tmp_path / "costs.json")
    assert Costs.kept(tmp_path / "costs.json") == COSTS


def test_the_page_has_what_the_kept_costs_give() -> None:
    """`python -m benchmarks.capacity --computed` would change nothing."""
    page = PAGE.read_text()
    for line in tables.measured(Costs.kept()):
        assert line in page
    assert "\n".join(pulling.table(Costs.kept(), Prices())) in page
    for users in SIZES:
        assert "\n".join(tables.site(Load(Population(users), Costs.kept()), Prices())) in page
