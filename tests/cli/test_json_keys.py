"""docs/json.md has every key that ``--json`` prints, and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpo_core.cli.main import BUILT_IN

Hpo = Callable[..., Any]

PAGE = (Path(__file__).parents[2] / "docs/json.md").read_text(encoding="utf-8")

TRIAL, STUDY, OUTCOME = ["key of a trial"], ["key of a study"], ["key of an outcome"]
USAGE = ["key of a usage"]

COMMANDS: dict[str, tuple[list[str], dict[str, list[str]]]] = {
    "init": (["fit.py", "-o", "drafted.toml"], {"": ["key of `init`"]}),
    "run": (["study.toml"], {"": OUTCOME, "usage": USAGE, "top": TRIAL}),
    "resume": (["small"], {"": OUTCOME}),
    "extend": (["small", "--jobs", "+1"], {"": OUTCOME}),
    "try": (["study.toml"], {"": ["key of a try"]}),
    "studies": ([], {"": STUDY}),
    "show": (
        ["small"],
        {
            "": [*STUDY, "key of `show`"],
            "usage": USAGE,
            "plugins.strategy": ["key of a plugin in use"],
        },
    ),
    "top": (["small"], {"": TRIAL}),
    "jobs": (["small"], {"": ["key of a job"]}),
    "curves": (["small"], {"": ["key of a report"]}),
    "log": (["small", "1"], {"": ["key of `log`"]}),
    "replay": (["small"], {"": ["key of `replay`"]}),
    "import": (
        ["file:given", "other.toml"],
        {"": ["key of `import`"], "misfits": ["key of a misfit"]},
    ),
    "export": (["small", "-o", "trials.csv"], {"": ["key of `export`"]}),
    "enqueue": (["small", "x=0.5"], {"": ["key of `enqueue`"]}),
    "stop": (["small"], {"": ["key of `stop`"]}),
    "copy": (["small", "--to", "other.db"], {"": ["key of `copy`"]}),
    "rename": (["small", "renamed", "--yes"], {"": ["key of `rename`"]}),
    "delete": (["small", "--yes"], {"": ["key of `delete`"]}),
    "plugins": ([], {"": ["key of a plugin"], "strategy": ["key of a plugin's strategy"]}),
    "check": (
        ["random", "--examples", "1", "--long-runs", "0"],
        {"": ["key of `check`"], "checks": ["key of a check"]},
    ),
    "completion": (["bash"], {"": ["key of `completion`"]}),
    "new-backend": (["other-engine"], {"": ["key of `new-backend`"]}),
    "new-strategy": (["other-search"], {"": ["key of `new-strategy`"]}),
}
"""Each command: its arguments besides ``--json``, and by the way to them in what it
prints the tables that have the keys there."""

EXCHANGE = """
from hpo_core.plugin import ExchangedStudy, ExchangedTrial, ExchangeSpec, TrialState, hookimpl

def trial(number, x):
    completed = TrialState.COMPLETED
    return ExchangedTrial(number=number, configuration={"x": x}, state=completed, values=(x,))

def read(place, name, space):
    trials = (trial(1, 0.5), trial(2, 7.0))
    return ExchangedStudy(name="given", metrics=None, directions=("minimize",),
                          trials=trials, space=space)

@hookimpl
def hpo_exchanges():
    return [ExchangeSpec(name="file", summary="A file", write=print, read=read)]
"""
"""A plugin that reads a trial that fits the study ``small``, and one that does not."""


def documented(*tables: str) -> set[str]:
    """Return the keys that stand in the first cells of the tables with these headings."""
    keys: set[str] = set()
    for table in tables:
        (rows,) = re.findall(rf"^\| {re.escape(table)} \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.M)
        for row in rows.splitlines():
            keys |= set(re.findall(r"`(\w+)`", row.split("|")[1]))
    return keys


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the plugin ``file``."""
    info = tmp_path / "installed" / "hpo_file-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hpo-file\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hpo_core]\nfile = file_of_json_keys\n")
    (info.parent / "file_of_json_keys.py").write_text(EXCHANGE)
    monkeypatch.syspath_prepend(str(info.parent))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_key_is_documented(small: Hpo, exchange: None, command: str) -> None:
    study = Path("study.toml").read_text()
    Path("other.toml").write_text(study.replace('"small"', '"other"'))
    Path("fit.py").write_text("import argparse\nargparse.ArgumentParser().add_argument('--lr')\n")
    arguments, tables = COMMANDS[command]
    printed = one(small(command, *arguments, "--json").json())
    for path, headings in tables.items():
        found = printed
        for key in filter(None, path.split(".")):
            found = one(found[key])
        assert set(found) == documented(*headings), path


def one(found: Any) -> Any:
    """Return what a list has entries of."""
    return found[0] if isinstance(found, list) else found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_prints_json_is_named(command: str) -> None:
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    assert any(f"`{command}`" in heading for heading in headings)


def test_every_command_takes_json_and_is_looked_at_here() -> None:
    assert set(BUILT_IN) == set(COMMANDS)


def test_what_export_prints_with_json_is_json_too(small: Hpo) -> None:
    trials = small("export", "small", "--json").json()
    assert trials == small("export", "small", "--format", "json").json()
    assert small("export", "small", "--json", "--format", "study").json()["name"] == "small"

    refused = small("export", "small", "--json", "--format", "csv")
    assert refused.status == 2
    assert "--json: is for what is printed, and CSV is no JSON" in refused.err
