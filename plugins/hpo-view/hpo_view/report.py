"""A report: studies in one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from time import time
from typing import Any

import plotly.offline

from hpo_core import Study
from hpo_view import theme
from hpo_view.data import StudyData
from hpo_view.page.figures import FIGURES, compared, draw, packed
from hpo_view.page.sections import moment, section
from hpo_view.text import printable

SCRIPTS = ("dom.js", "figures.js", "table.js", "study.js")
"""The common files of report and dashboard."""

MARK = '<meta name="generator" content="hpo-view">'
"""The mark that identifies a report."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{mark}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header></header>
<main id="main"></main>
<footer></footer>
<script type="application/json" id="data">{data}</script>
<script>{plotly}</script>
<script>{code}</script>
</body>
</html>
"""


def report(studies: Sequence[Study]) -> str:
    """Return the report of one or several studies as HTML.

    Args:
        studies: The studies, side by side if there are several.
    """
    several = [StudyData(study) for study in studies]
    together, not_compared = compared(several)
    names = ", ".join(printable(study.name) for study in studies)
    content = {
        "title": names,
        "templates": templates(),
        "studies": [_study(data) for data in several],
        "compared": together,
        "notCompared": not_compared,
        "made": f"Made on {moment(time())} by hpo-view {version('hpo-view')}, hpo-core "
        f"{version('hpo-core')} and plotly.js.",
    }
    plotly_js = plotly.offline.get_plotlyjs()
    code = "".join(static(name) for name in (*SCRIPTS, "report.js"))
    policy = (  # plotly.js compiles code for its WebGL shaders with Function
        f"default-src 'none'; script-src 'unsafe-eval' {_hash(plotly_js)} {_hash(code)}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return _PAGE.format(
        mark=MARK,
        policy=policy,
        title=html.escape(f"{names} - hpo report"),
        style=static("page.css"),
        data=embedded(content),
        plotly=plotly_js,
        code=code,
    )


def templates() -> dict[str, Any]:
    """Return the layout templates of figures, by theme, and the colour scale of the dark one."""
    return {
        "light": theme.template(dark=False),
        "dark": theme.template(dark=True),
        "darkScale": theme.DARK_SCALE,
    }


def static(name: str) -> str:
    """Return the text of a file of the pages."""
    return (files("hpo_view") / "static" / name).read_text(encoding="utf-8")


def embedded(content: Any) -> str:
    """Return JSON for a script element: it cannot contain the end tag."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return (
        text.replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
        .encode(errors="backslashreplace")
        .decode()
    )


def _study(data: StudyData) -> dict[str, Any]:
    drawn = [packed(name, draw(name, data)) for name in FIGURES]
    shown = [figure for figure in drawn if not figure["isEmpty"]]
    return {
        **section(data),
        "drawn": shown,
        "figures": [
            {
                "name": figure["name"],
                "title": figure["title"],
                "height": figure["layout"].get("height"),
            }
            for figure in shown
        ],
        "missing": [
            f"{figure['name'].replace('_', ' ')} ({figure['caption'].rstrip('.')})"
            for figure in drawn
            if figure["isEmpty"]
        ],
    }


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
