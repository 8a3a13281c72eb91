"""The dashboard and its server: authorization, content, events and actions."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sample_studies as studies
from hpo_view.dashboard.changes import is_on_network, looked
from hpo_view.dashboard.vector import vector
from serving import TOKEN, Served, served

import hpo_core as hpo

pytestmark = pytest.mark.xdist_group("view")  # its tests share what a fixture has made


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "hpo.db"
    studies.study(name="one", store=path, budget={"trials": 8}).close()
    return path


@pytest.fixture
def dashboard(store: Path) -> Iterator[Served]:
    with served(store) as found:
        yield found


# -- who may ask -----------------------------------------------------------------------------


def test_nothing_is_shown_without_the_token(dashboard: Served) -> None:
    for path in ("/", "/api/studies", "/api/study/one", "/events", "/static/dom.js"):
        assert dashboard.ask(path, Authorization="").status == 403
    assert dashboard.ask("/api/studies", Authorization="token wrong").status == 403


def test_the_printed_address_leaves_the_token_in_a_cookie(dashboard: Served) -> None:
    first = dashboard.ask(f"/?token={TOKEN}", Authorization="")
    assert (first.status, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    kept = cookie.partition(";")[0]
    assert dashboard.ask("/", Authorization="", Cookie=kept).status == 200


def test_a_foreign_host_or_origin_is_refused_also_with_the_token(dashboard: Served) -> None:
    own = f"127.0.0.1:{dashboard.port}"
    assert dashboard.ask("/api/studies", Host="evil.example").status == 403
    assert dashboard.ask("/api/studies", Host=f"evil.example:{dashboard.port}").status == 403
    assert dashboard.ask("/api/studies", Origin="http://evil.example").status == 403
    assert dashboard.ask("/api/studies", Origin="null").status == 403
    assert dashboard.ask("/api/studies", Host=own, Origin=f"http://{own}").status == 200


def test_an_action_needs_the_token_and_with_the_cookie_its_own_page(dashboard: Served) -> None:
    def act(**headers: str) -> int:
        return dashboard.ask("/api/study/one/delete", "POST", "{}", **headers).status

    cookie = f"hpo-dashboard-{dashboard.port}={TOKEN}"
    assert act(Authorization="") == 403
    assert act(Authorization="", Cookie=cookie) == 403
    assert act(Authorization="", Cookie=cookie, Origin="http://evil.example") == 403
    assert [study.name for study in hpo.studies(dashboard.store)] == ["one"]
    assert act(Authorization="", Cookie=cookie, Origin=f"http://127.0.0.1:{dashboard.port}") == 200
    assert hpo.studies(dashboard.store) == []


def test_a_read_only_dashboard_refuses_every_action(store: Path) -> None:
    with served(store, read_only=True) as dashboard:
        for action in ("stop", "enqueue", "extend", "delete"):
            assert dashboard.ask(f"/api/study/one/{action}", "POST", "{}").status == 403
        assert dashboard.ask("/").status == 200


def test_the_policy_allows_the_dashboards_own_scripts_alone(dashboard: Served) -> None:
    page = dashboard.ask("/")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "access-control-allow-origin" not in page.headers
    assert re.findall(r"<script(?! src=\"/static/)", page.text) == []


# -- what is shown ---------------------------------------------------------------------------


def test_a_study_and_its_trials_are_shown(dashboard: Served) -> None:
    assert [each["name"] for each in dashboard.json("/api/studies")] == ["one"]
    study = dashboard.json("/api/study/one")
    assert len(study["table"]["rows"]) == 8
    assert {"pareto_front", "slice"} & {each["name"] for each in study["figures"]} == {"slice"}
    trial = dashboard.json("/api/study/one/trial/1")
    assert trial["figure"]["name"] == "curves"
    assert dashboard.ask("/api/study/two").status == 404
    assert dashboard.ask("/api/study/one/figure/secret").status == 404
    assert dashboard.ask("/static/..%2freport.py").status == 404


def test_a_log_is_read_from_where_the_last_part_ended(dashboard: Served) -> None:
    file = hpo.load_study(dashboard.store, "one").log("1.1")
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"epoch 1\n\x1b[31mred")
    part = dashboard.json("/api/study/one/log/1.1")
    assert part == {"text": "epoch 1\n\\x1b[31mred", "next": 16}
    with file.open("ab") as opened:
        opened.write(b"\nepoch 2")
    assert dashboard.json("/api/study/one/log/1.1?from=16")["text"] == "\nepoch 2"


def test_figures_need_no_webgl() -> None:
    lines = vector(studies.plain().plot.parallel_coordinate())
    assert {trace.type for trace in lines.data} == {"scatter"}
    assert list(lines.layout.xaxis.ticktext) == ["loss", "lr", "hidden", "kind", "depth"]


# -- what is told ----------------------------------------------------------------------------


def test_a_change_of_the_store_is_told_and_shown(dashboard: Served) -> None:
    with dashboard.events() as following:
        assert following() == "ready"
        assert dashboard.json("/api/study/one")["budget"][0]["text"] == "8 of 8"
        hpo.load_study(dashboard.store, "one").extend(trials="+4")
        assert following() == "change"
        assert dashboard.json("/api/study/one")["budget"][0]["text"] == "8 of 12"


def test_reading_the_store_is_not_a_change(dashboard: Served) -> None:
    with dashboard.events() as following:
        assert following() == "ready"
        dashboard.json("/api/studies")
        before = dashboard.ask("/api/study/one").text
        hpo.load_study(dashboard.store, "one").extend(trials="+1")
        assert following() == "change"
        assert dashboard.ask("/api/study/one").text != before


def test_a_log_that_grows_is_told_to_the_page_of_its_trial(dashboard: Served) -> None:
    folder = hpo.load_study(dashboard.store, "one").folder / "logs"
    folder.mkdir(exist_ok=True)
    with dashboard.events("?study=one&trial=1") as following:
        assert following() == "ready"
        ended = threading.Event()

        def write() -> None:
            while not ended.wait(0.05):
                (folder / "1.1.log").open("a").write("more\n")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert following() == "log"
        finally:
            ended.set()
            writer.join()


def test_a_store_is_complete_after_the_dashboard_has_closed_it(store: Path) -> None:
    with served(store) as dashboard:
        hpo.load_study(store, "one").extend(trials="+4")
        dashboard.json("/api/study/one")
    assert not store.with_name("hpo.db-wal").exists()
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("SELECT state FROM study").fetchone() == ("interrupted",)


# -- what is done ----------------------------------------------------------------------------


def test_actions_do_what_the_commands_do_and_say_what_is_wrong(dashboard: Served) -> None:
    def act(action: str, **given: Any) -> Any:
        body = json.dumps(given)
        return json.loads(dashboard.ask(f"/api/study/one/{action}", "POST", body).text)

    assert act("stop") == {"done": "one was not running"}
    assert "lr: " in act("enqueue", lr=70)["error"]
    assert act("enqueue", lr=0.1, hidden=8, kind="plain", version=3)["done"]
    assert "jobs" in act("extend", jobs="+2")["error"]
    assert act("extend", trials="+2")["done"]
    study = hpo.load_study(dashboard.store, "one")
    assert study.config.budget.trials == 10
    assert act("delete")["done"] == "one is deleted"
    assert dashboard.json("/api/studies") == []


def test_a_local_folder_is_on_no_network(tmp_path: Path) -> None:
    assert not is_on_network(tmp_path / "hpo.db")


def test_on_a_network_file_system_growing_logs_are_seen_without_a_notification(
    tmp_path: Path,
) -> None:
    async def see() -> list[str]:
        seen = []
        looks = looked(tmp_path, lambda name: name.startswith("7."), every=0.01)
        for line in ("one\n", "two\n"):
            change = asyncio.ensure_future(anext(looks))
            await asyncio.sleep(0)  # it has looked once
            (tmp_path / "8.1.log").write_text("of another trial\n")
            with (tmp_path / "7.1.log").open("a") as file:
                file.write(line)
            await change
            seen.append(line)
        return seen

    assert asyncio.run(asyncio.wait_for(see(), 60)) == ["one\n", "two\n"]
