"""Make docs/pictures/dashboard.png again: the dashboard of a study that has really run.

.venv-view/bin/python docs/pictures/dashboard.py     (or: make picture-view; it takes Chromium)
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
PICTURE = Path(__file__).parent / "dashboard.png"
sys.path.insert(0, str(ROOT / "plugins/hpo-view/tests"))


def main() -> None:
    """Run a study, show it, and write the picture."""
    import studies

    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "hpo.db"
        studies.study(name="digits", store=store, budget={"trials": 60}, seed=3).close()
        hpo = Path(sys.executable).with_name("hpo")
        command = [hpo, "dashboard", "digits", "--no-browser", "--port", "0", "--store", store]
        dashboard = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=name)
        assert dashboard.stdout is not None
        found = re.search(r"http\S+", dashboard.stdout.readline())
        assert found is not None
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                )
                page = browser.new_page(viewport={"width": 1280, "height": 1000})
                page.set_default_timeout(120_000)
                page.goto(found[0])
                for drawn in ("optimization_history", "intermediate_values"):
                    page.wait_for_selector(f"figure[data-name={drawn}][data-drawn]")
                page.screenshot(path=PICTURE)
                browser.close()
        finally:
            dashboard.terminate()
            dashboard.wait()
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
