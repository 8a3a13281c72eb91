"""Lay out the pages of the site in build/site-pages: one tree, in which every link leads somewhere.

On the forge the pages link to each other from where they are: the README, `docs/`, the plugins.
The site has one folder of pages. So each page goes to its place there, its links are written again,
and a file that is no page (an example's program) is copied to `files/`.

    python docs/site/assemble.py FOLDER_OF_NPM_PACKAGES
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/site-pages"

DECISIONS = PurePosixPath("docs/decisions/README.md")
"""A page that the site alone has: on the forge the folder is its own list."""

SCRIPTS = {
    "mermaid.min.js": (
        "mermaid-11.17.2.tgz",
        "package/dist/mermaid.min.js",
        "581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8",
    ),
    "iframe-worker.js": (
        "iframe-worker-1.0.4.tgz",
        "package/shim/index.js",
        "e8e412dbcfea9b7e31b5ffa288d7b6035915e714c542f4176a0cdbe262fc9609",
    ),
}
"""The site's own copies of scripts: each one's package, its place there, and its SHA-256.

Mermaid draws diagrams; the other one makes the search work where the site is opened as a file."""

CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
WIDE = re.compile(r"^```mermaid\n(?:flowchart|sequenceDiagram).*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(\]\()(?!https?:|mailto:|#)([^)#\s]+)((?:#[^)\s]*)?\))")


def pages(root: Path = ROOT) -> dict[PurePosixPath, PurePosixPath]:
    """Return where each page of the repository is on the site."""
    placed = {DECISIONS: PurePosixPath("decisions/README.md")}
    for name, place in (("README", "index"), ("CONTRIBUTING", ""), ("CHANGELOG", "")):
        placed[PurePosixPath(f"{name}.md")] = PurePosixPath(f"{place or name.lower()}.md")
    for page in sorted((root / "docs").rglob("*.md")):
        placed[_in(root, page)] = _in(root / "docs", page)
    for folder in ("plugins", "examples/third_party"):
        for page in sorted((root / folder).glob("*/README.md")):
            placed[_in(root, page)] = PurePosixPath(f"plugins/{page.parent.name}.md")
    return placed


def _in(folder: Path, file: Path) -> PurePosixPath:
    return PurePosixPath(file.relative_to(folder).as_posix())


def assemble(out: Path, root: Path = ROOT) -> list[str]:
    """Write the pages, and what they link to; return the links that lead nowhere."""
    shutil.rmtree(out, ignore_errors=True)
    placed = pages(root)
    dead: list[str] = []
    for page, place in placed.items():

        def linked(link: str, page: PurePosixPath = page, place: PurePosixPath = place) -> str:
            target = PurePosixPath(os.path.normpath(page.parent / link))
            if (root / target).is_dir():
                target /= "README.md"
            if target not in placed and not (root / target).is_file():
                dead.append(f"{page}: {link}")
                return link
            return os.path.relpath(placed.get(target) or _copied(target, root, out), place.parent)

        text = _list_of_decisions(root) if page == DECISIONS else (root / page).read_text("utf-8")
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        text = WIDE.sub(r'<div class="wide" markdown>\n\n\g<0>\n\n</div>', with_links(text, linked))
        (out / place).write_text(text, encoding="utf-8")
    shutil.copy(Path(__file__).parent / "site.css", out)
    return dead


def with_links(text: str, linked: Callable[[str], str]) -> str:
    """Return a page with its links to files written again; what looks like one in code stays."""

    def again(found: re.Match[str]) -> str:
        return f"{found[1]}{linked(found[2])}{found[3]}"

    parts, end = [], 0
    for block in CODE.finditer(text):
        parts += [LINK.sub(again, text[end : block.start()]), block.group()]
        end = block.end()
    return "".join([*parts, LINK.sub(again, text[end:])])


def _list_of_decisions(root: Path) -> str:
    lines = ["# Decisions", "", "Why hpo-core is as it is, about ten lines each.", ""]
    for page in sorted((root / DECISIONS).parent.glob("0*.md")):
        title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        lines.append(f"- [{title}]({page.name})")
    return "\n".join(lines) + "\n"


def _copied(file: PurePosixPath, root: Path, out: Path) -> PurePosixPath:
    """Copy a file that is no page; a program as text, so that browsers show it."""
    is_picture = file.suffix in (".svg", ".png")
    place = PurePosixPath("files") / (file if is_picture else f"{file}.txt")
    (out / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / file, out / place)
    return place


def add_scripts(packages: Path, out: Path) -> None:
    """Take the scripts out of their packages, if they are the ones that are expected."""
    for name, (package, place, sha256) in SCRIPTS.items():
        with tarfile.open(packages / package) as files:
            file = files.extractfile(place)
            assert file is not None
            data = file.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            sys.exit(f"{package}: {place} is not the file with the SHA-256 {sha256}")
        (out / name).write_bytes(data)


if __name__ == "__main__":
    if lost := assemble(OUT):
        sys.exit("links that lead nowhere:\n" + "\n".join(lost))
    add_scripts(Path(sys.argv[1]), OUT)
