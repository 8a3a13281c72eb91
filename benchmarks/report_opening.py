"""The cost of opening a report of 10,000 trials: processor time of Chromium, and the file's size.

python benchmarks/report_opening.py      (takes hpo-view, playwright and Chromium: .venv-view)
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from hpo_view.report import report
from playwright.sync_api import Browser, sync_playwright

import hpo_core as hpo

PARAMETERS = [
    hpo.Float("lr", 1e-5, 1e-1, log=True),
    hpo.Float("momentum", 0, 1),
    hpo.Float("decay", 1e-6, 1e-2, log=True),
    hpo.Float("dropout", 0, 0.5),
    hpo.Int("layers", 1, 8),
    hpo.Int("width", 16, 512, log=True),
    hpo.Categorical("activation", ["relu", "tanh", "gelu"]),
    hpo.Categorical("optimizer", ["sgd", "adam"]),
]

VISIBLE = """
() => document.documentElement.dataset.ready && [...document.querySelectorAll("figure")]
  .filter((f) => f.getBoundingClientRect().top < innerHeight).every((f) => f.dataset.drawn)
"""


def train(configuration: Any) -> None:
    """Report three iterations."""
    loss = (math.log10(configuration["lr"]) + 3) ** 2 + configuration["dropout"]
    for iteration in range(1, 4):
        hpo.report(iteration, loss=loss + 1 / iteration)


def written(folder: Path, trials: int) -> Path:
    """Write the report of a study, and return its file."""
    study = hpo.Study(
        function=train,
        parameters=PARAMETERS,
        objective="loss",
        direction="minimize",
        budget={"jobs": trials},
        backend="inline",
        max_iterations=3,
        seed=1,
        name="big",
        store=folder / "hpo.db",
    )
    study.run(progress=False)
    file = folder / "report.html"
    file.write_text(report([study]), encoding="utf-8")
    study.close()
    return file


def spent() -> float:
    """Return the processor time of all processes of Chromium, in seconds."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        if "chrom" in process.name():
            times = process.cpu_times()
            total += times.user + times.system
    return total


def opening(browser: Browser, file: Path, width: int) -> tuple[float, float, float]:
    """Return the processor time and the wall time until all visible figures are drawn, and the
    processor time until the page is idle.
    """
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto("about:blank")
    before, began = spent(), time.perf_counter()
    page.goto(file.as_uri())
    page.wait_for_function(VISIBLE, timeout=120_000)
    drawn, wall = spent() - before, time.perf_counter() - began
    page.wait_for_timeout(3000)
    idle = spent() - before
    page.close()
    return drawn, wall, idle


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--report", type=Path, help="a report that exists already")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        file = given.report or written(Path(name), given.trials)
        print(f"{file.stat().st_size / 1e6:.1f} MB (required: under 10)")
        for width in (1280, 390):
            rounds = []
            for _ in range(given.rounds):
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                )
                rounds.append(opening(browser, file, width))
                browser.close()
            drawn, wall, idle = map(statistics.median, zip(*rounds, strict=True))
            print(
                f"{width} pixels: visible figures after {drawn:.1f} s of processor time and "
                f"{wall:.1f} s of wall time (required: 3); {idle:.1f} s until idle"
            )


if __name__ == "__main__":
    main()
