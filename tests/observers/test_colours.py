"""The live display has colours, unless ``NO_COLOR`` is set."""

from __future__ import annotations

import io
import re

import pytest

from hpo_core import Int, Objective, optimize
from hpo_core.observers.live import LiveProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", [None, "1"])
def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch, no_color: str | None) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    terminal = Terminal()
    optimize(
        lambda configuration: configuration["x"],
        [Int("x", 1, 2)],
        objective=Objective("loss", "minimize"),
        strategy="grid",
        backend="inline",
        observers=[LiveProgress(terminal)],
    )
    shown = terminal.getvalue()
    assert "best: loss 1" in shown
    has_colours = re.search(r"\x1b\[(?:\d+;)*3[0-7]m", shown) is not None
    assert has_colours is (no_color is None)
