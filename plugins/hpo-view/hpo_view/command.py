"""The command ``hpo report``: a report as HTML, or one plot as an image."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import click

from hpo_core import HpoError, InvalidInput, Study, load_study
from hpo_core.plugin import Fault, nearest

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")
_INTERACTIVE = (".html", ".json")


@click.command("report", epilog="Example: hpo report digits -o report.html")
@click.argument("names", nargs=-1, required=True, metavar="NAME [OTHER]...")
@click.option("-o", "--output", default="report.html", show_default=True, help="The file to write.")
@click.option("--plot", metavar="PLOT", help="Write this one plot: .html, .json, .png, .svg, .pdf.")
@click.option("--width", default=900, show_default=True, help="Of a picture, in pixels.")
@click.option("--force", is_flag=True, help="Replace a file that is no report.")
@click.option(
    "--store",
    "store_path",
    metavar="PATH",
    envvar="HPO_STORE",
    default="hpo.db",
    show_default=True,
    help="The file that keeps studies (or HPO_STORE).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report_command(
    names: tuple[str, ...],
    output: str,
    plot: str | None,
    width: int,
    force: bool,
    store_path: str,
    as_json: bool,
) -> None:
    """Write plots, trials, budget and failures of studies into one HTML file.

    The file needs nothing else, and no network. Several studies stand side by side.
    """
    file = Path(output)
    faults = [*_file_faults(file, plot, force), *_plot_faults(plot)]
    if faults:
        raise InvalidInput(faults)
    studies = [load_study(store_path, name) for name in dict.fromkeys(names)]
    if plot is None:
        from hpo_view.report import report

        content = report(studies).encode()
    else:
        content = _picture(plot, studies, file.suffix.lower(), width)
    _write(file, content)
    if as_json:
        print(json.dumps({"file": str(file), "bytes": len(content), "studies": list(names)}))
    else:
        print(f"wrote {file} ({len(content) / 1e6:.1f} MB)")


def _plot_faults(plot: str | None) -> list[Fault]:
    from hpo_view.page.figures import FIGURES

    if plot is None or plot in FIGURES:
        return []
    hint = nearest(plot, list(FIGURES)) or f"; there are {', '.join(FIGURES)}"
    return [Fault("--plot", f"there is no plot {plot!r}{hint}")]


def _file_faults(file: Path, plot: str | None, force: bool) -> list[Fault]:
    """Return the reasons why the file cannot be written, before anything is drawn."""
    suffix = file.suffix.lower()
    suffixes = (".html", ".htm") if plot is None else (*_INTERACTIVE, *PICTURES)
    if suffix not in suffixes:
        remedy = f"give a name that ends with {' or '.join(suffixes)}"
        if plot is None and suffix in PICTURES:
            remedy = "a picture is of one plot: add --plot"
        return [Fault("--output", f"{str(file)!r} has no ending that is known; {remedy}")]
    if not file.parent.is_dir():
        return [Fault("--output", f"there is no folder {str(file.parent)!r}; make it first")]
    if file.exists() and not force and not (file.is_file() and _is_report(file)):
        return [Fault("--output", f"{str(file)!r} exists; --force replaces it")]
    return []


def _is_report(file: Path) -> bool:
    from hpo_view.report import MARK

    with open(file, "rb") as opened:
        return MARK.encode() in opened.read(1000)


def _picture(plot: str, studies: list[Study], suffix: str, width: int) -> bytes:
    from hpo_view.data import StudyData
    from hpo_view.page.figures import SHARED, draw

    if len(studies) > 1 and plot not in SHARED:
        message = f"{plot} is of one study; of several there are {', '.join(SHARED)}"
        raise InvalidInput([Fault("--plot", message)])
    figure: Any = draw(plot, *map(StudyData, studies))
    if suffix == ".html":
        html: str = figure.to_html(include_plotlyjs=True)
        return html.encode()
    if suffix == ".json":
        text: str = figure.to_json()
        return text.encode()
    try:
        drawn: bytes = figure.to_image(format=suffix[1:].replace("jpg", "jpeg"), width=width)
    except Exception as error:
        said = str(error).strip().partition("\n")[0]
        raise HpoError(
            f"cannot draw a picture: {said or type(error).__name__}; it takes kaleido and a "
            "Chromium or Chrome: pip install 'hpo-view[images]' and install the browser, or write "
            "an .html file"
        ) from error
    return drawn


def _write(file: Path, content: bytes) -> None:
    """Write a file atomically; only its user can read it."""
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".hpo-report-")
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(content)
            os.replace(name, file)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise HpoError(f"cannot write {file}: {error.strerror}") from error
