"""Report and dashboard in Chromium: all figures are drawn, nothing is downloaded or injected."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sample_studies as studies
from hpo_view.page.figures import FIGURES
from hpo_view.report import report
from playwright.sync_api import Browser, Page, sync_playwright
from serving import TOKEN, served

import hpo_core as hpo

PATIENCE = 120_000  # milliseconds: machines are slow at times


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "install Chromium (on Debian: the package chromium)"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                "--host-resolver-rules=MAP evil.example 127.0.0.1",
            ],
        )
        yield started
        started.close()


class Watched:
    """A page, and what went wrong on it."""

    def __init__(self, browser: Browser, **more: Any) -> None:
        self.page: Page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}} | more)
        self.page.set_default_timeout(PATIENCE)
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog {dialog.message}"))
        self.page.on("console", self._said)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning", "trace"):
            self.faults.append(message.text)

    def drawn(self) -> list[str]:
        """Scroll every figure into view until it is drawn; return their names."""
        names = []
        for figure in self.page.query_selector_all("figure"):
            figure.scroll_into_view_if_needed()
            name = figure.get_attribute("data-name") or ""
            self.page.wait_for_function(
                "f => f.dataset.drawn || f.querySelector('.plot').textContent", arg=figure
            )
            if figure.get_attribute("data-drawn"):
                names.append(name)
                assert "not supported" not in figure.inner_text()
                assert figure.query_selector(".plot")
        return names


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[..., Watched]]:
    opened: list[Watched] = []

    def open_page(**more: Any) -> Watched:
        opened.append(Watched(browser, **more))
        return opened[-1]

    yield open_page
    for each in opened:
        each.page.close()


def write(folder: Path, *several: hpo.Study) -> str:
    file = folder / "report.html"
    file.write_text(report(several), encoding="utf-8")
    return file.as_uri()


# -- the report ------------------------------------------------------------------------------


@pytest.mark.parametrize("make", studies.KINDS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_is_drawn_without_a_fault_or_a_request(
    look: Any, tmp_path: Path, make: Callable[[], hpo.Study], scheme: str
) -> None:
    watched = look(color_scheme=scheme)
    watched.page.goto(write(tmp_path, make()))
    watched.page.wait_for_selector("[data-ready]")
    listed = [f.get_attribute("data-name") for f in watched.page.query_selector_all("figure")]
    assert watched.drawn() == listed
    assert watched.faults == []
    assert [u for u in watched.requests if not u.startswith(("file:", "data:", "blob:"))] == []


def test_at_first_only_figures_in_view_are_drawn_and_others_when_scrolled_near(
    look: Any, tmp_path: Path
) -> None:
    page = look(viewport={"width": 390, "height": 800}).page
    page.goto(write(tmp_path, studies.plain()))
    page.wait_for_selector("[data-ready]")
    first = page.query_selector_all("figure")[0]
    first.scroll_into_view_if_needed()
    page.wait_for_function("f => f.dataset.drawn", arg=first)
    below = page.evaluate(
        "[...document.querySelectorAll('figure')].filter("
        "(f) => f.getBoundingClientRect().top > innerHeight + 500 && f.dataset.drawn).length"
    )
    assert below == 0
    last = page.query_selector_all("figure")[-1]
    last.scroll_into_view_if_needed()
    page.wait_for_function("f => f.dataset.drawn", arg=last)


def test_together_the_studies_have_every_plot(look: Any, tmp_path: Path) -> None:
    watched = look()
    everything = (studies.plain(), studies.rungs(), studies.several())
    watched.page.goto(write(tmp_path, *everything))
    assert set(FIGURES) <= set(watched.drawn())
    assert watched.page.inner_text("h1") == "plain, rungs, several"


def test_hostile_names_stay_text(look: Any, tmp_path: Path) -> None:
    watched = look()
    watched.page.goto(write(tmp_path, studies.hostile()))
    watched.drawn()
    text = watched.page.inner_text("body")
    assert "<script>alert(1)</script> & </script> \"quoted\" 'a' \\x1b[31m \\u202e" in text
    assert watched.faults == []


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(look: Any, tmp_path: Path, width: int) -> None:
    watched = look(viewport={"width": width, "height": 800})
    watched.page.goto(write(tmp_path, studies.rungs()))
    watched.drawn()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_table_sorts_and_filters_by_the_keyboard(look: Any, tmp_path: Path) -> None:
    page = look().page
    page.goto(write(tmp_path, studies.plain()))
    head = page.get_by_role("button", name="loss", exact=True)
    head.focus()
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("loss")
    first = page.locator("tbody tr").first.locator("td").nth(2).inner_text()
    assert float(first) == pytest.approx(studies.plain().best.value, rel=1e-5)
    page.get_by_role("searchbox").fill("state=failed")
    failed = sum(trial.state is hpo.TrialState.FAILED for trial in studies.plain().trials)
    assert page.locator("tbody tr").count() == failed
    page.get_by_role("searchbox").fill("loss<1 lr>0.001")
    for row in page.locator("tbody tr").all():
        assert float(row.locator("td").nth(2).inner_text()) < 1


def test_the_first_tab_leads_to_the_content(look: Any, tmp_path: Path) -> None:
    page = look().page
    page.goto(write(tmp_path, studies.plain()))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


# -- the dashboard ---------------------------------------------------------------------------


def slow(configuration: Any, job: hpo.JobInfo) -> float:
    go_on.wait(60)
    print(f"job {job.trial_id} has run")
    return float(configuration["x"])


go_on = threading.Event()


def test_the_dashboard_follows_a_running_study(look: Any, tmp_path: Path) -> None:
    study = hpo.Study(
        function=slow,
        parameters=[hpo.Float("x", 0, 1)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 3},
        backend="inline",
        name="live",
        store=tmp_path / "hpo.db",
    )
    study.enqueue(x=0.5)
    go_on.clear()
    running = threading.Thread(target=lambda: study.run(progress=False))
    with served(tmp_path / "hpo.db") as dashboard:
        watched = look()
        watched.page.goto(f"http://127.0.0.1:{dashboard.port}/?token={TOKEN}")
        watched.page.get_by_role("link", name="live").click()
        watched.page.wait_for_selector("text=No trial has a value yet.")
        running.start()
        watched.page.wait_for_selector(".badge.running")
        go_on.set()
        watched.page.wait_for_selector(".card .badge.finished")
        watched.page.wait_for_function("document.querySelectorAll('tbody tr').length === 3")
        running.join()
        watched.page.get_by_role("link", name="2", exact=True).click()
        watched.page.wait_for_selector("text=job 2 has run")
        assert watched.faults == []
        assert {url.split("/")[2] for url in watched.requests if url.startswith("http")} == {
            f"127.0.0.1:{dashboard.port}"
        }


def test_every_figure_of_the_dashboard_is_drawn_under_its_policy(look: Any, tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    studies.study(name="one", store=store, strategy="asha:hyperband", max_iterations=9).close()
    with served(store, first="one") as dashboard:
        watched = look(color_scheme="dark")
        watched.page.goto(f"http://127.0.0.1:{dashboard.port}/?token={TOKEN}")
        watched.page.wait_for_selector("figure")
        assert {"slice", "parallel_coordinate", "rungs", "timeline"} <= set(watched.drawn())
        assert watched.faults == []


def test_a_study_is_stopped_extended_and_deleted_by_its_buttons(look: Any, tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    studies.study(name="one", store=store, budget={"trials": 4}).close()
    with served(store, first="one") as dashboard:
        page = look().page
        page.goto(f"http://127.0.0.1:{dashboard.port}/?token={TOKEN}")
        page.get_by_role("button", name="Stop").click()
        page.wait_for_selector("text=one was not running.")
        page.get_by_label("Limit").select_option("trials")
        page.get_by_role("button", name="Extend").click()
        page.wait_for_selector("text=4 of 24")
        page.get_by_text("Delete the study").click()
        page.get_by_role("button", name="Delete with").click()
        page.wait_for_selector("text=Not done: type one to delete it")
        page.get_by_label("Type one to delete it").fill("one")
        page.get_by_role("button", name="Delete with").click()
        page.wait_for_selector("text=0 studies")
    assert hpo.studies(store) == []


def test_a_page_elsewhere_reaches_nothing(look: Any, tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    studies.study(name="one", store=store, budget={"trials": 4}).close()
    with served(store) as dashboard:
        page = look().page
        page.goto(f"http://evil.example:{dashboard.port}/?token={TOKEN}")
        assert "host name is not the dashboard's" in page.inner_text("body")
        page.goto(f"http://127.0.0.1:{dashboard.port}/")
        assert "the token is missing" in page.inner_text("body")
