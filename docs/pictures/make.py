"""Make docs/pictures/run.svg again: what a terminal shows of the README's study, really run.

.venv/bin/python docs/pictures/make.py        (or: make picture; it takes tmux)
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
PICTURE = Path(__file__).parent / "run.svg"
WIDTH, HEIGHT = 72, 40


def screen(folder: Path) -> str:
    """Run the study in its own terminal; return what that shows at the end, colours too."""
    tmux = ["tmux", "-S", str(folder / "tmux")]
    commands = os.path.dirname(sys.executable)
    shown = f"printf '$ hpo run study.toml\\n'; hpo run study.toml; {shlex.join(tmux)} wait -S over"
    shell = f"cd {shlex.quote(str(folder))}; PATH={shlex.quote(commands)}:$PATH; {shown}; cat"
    size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
    subprocess.run([*tmux, "new-session", "-d", *size, shell], check=True)
    subprocess.run([*tmux, "wait", "over"], check=True)
    captured = subprocess.run(
        [*tmux, "capture-pane", "-p", "-e"], check=True, capture_output=True, text=True
    )
    subprocess.run([*tmux, "kill-server"], check=True)
    return captured.stdout.rstrip()


def svg(shown: str) -> str:
    """Return a picture of a screen, with the reader's own fonts: rich's would be fetched."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown))
    drawn = console.export_svg(title="hpo run study.toml", unique_id="run")
    drawn = re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in drawn.replace("Fira Code, ", "").splitlines()) + "\n"


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        for file, text in re.findall(r"^```\w+\n# ([\w.]+)\n(.*?)^```$", readme, re.S | re.M):
            (folder / file).write_text(text, encoding="utf-8")
        PICTURE.write_text(svg(screen(folder)), encoding="utf-8")
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
