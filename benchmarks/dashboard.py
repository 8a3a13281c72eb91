"""The cost of an open dashboard: jobs per second with three open pages, and without.

python benchmarks/dashboard.py           (takes hpo-view, playwright and Chromium: .venv-view)
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

STUDY = """
import sys, hpo_core as hpo

def square(configuration):
    return configuration["x"] ** 2

if __name__ == "__main__":
    study = hpo.Study(
        function=square, parameters=[hpo.Float("x", -1, 1), hpo.Float("y", 0, 1)],
        objective="loss", direction="minimize", budget={"jobs": int(sys.argv[3])},
        backend="inline", seed=1, name=sys.argv[2], store=sys.argv[1],
    )
    if len(sys.argv) > 4:  # it is stored, so that pages can be opened before it runs
        study.enqueue(x=0.25, y=0.25)
    else:
        study.run(progress=False)
"""


def rate(folder: Path, name: str, jobs: int) -> float:
    """Return the jobs a second of a new study."""
    began = time.perf_counter()
    command = [sys.executable, "study.py", "hpo.db", name, str(jobs)]
    subprocess.run(command, cwd=folder, check=True)
    return jobs / (time.perf_counter() - began)


@contextmanager
def pages(folder: Path, name: str):
    """Hold three pages of a study open."""
    from playwright.sync_api import sync_playwright

    hpo = Path(sys.executable).with_name("hpo")
    command = [hpo, "dashboard", name, "--no-browser", "--port", "0"]
    dashboard = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"http\S+", dashboard.stdout.readline())
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            context = chromium.new_context()
            for _ in range(3):
                page = context.new_page()
                page.goto(found[0], timeout=120_000)
                page.wait_for_selector("figure", timeout=120_000)
            yield
            chromium.close()
    finally:
        dashboard.terminate()
        dashboard.wait()


def main() -> None:
    """Measure in turns, and print the medians and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    without, beside = [], []
    for turn in range(given.rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "study.py").write_text(STUDY)
            rate(folder, "first", 200)
            without.append(rate(folder, f"alone-{turn}", given.jobs))
            shown = [sys.executable, "study.py", "hpo.db", "beside", str(given.jobs), "store"]
            subprocess.run(shown, cwd=folder, check=True)
            with pages(folder, "beside"):
                beside.append(rate(folder, "beside", given.jobs))
        print(f"alone {without[-1]:,.0f} jobs/s, with three pages {beside[-1]:,.0f}", flush=True)
    one, other = statistics.median(without), statistics.median(beside)
    print(f"medians: {one:,.0f} and {other:,.0f} jobs/s, ratio {other / one:.3f}")


if __name__ == "__main__":
    main()
