"""The strategy ``process`` with real programs that answer correctly, incorrectly or never."""

from __future__ import annotations

import json
import os
import select
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest
from hpo_process.options import ProcessOptions
from hpo_process.strategy import ProcessStrategy

from hpo_core import (
    Budget,
    Categorical,
    Configuration,
    Constant,
    Float,
    Int,
    InvalidInput,
    Objective,
    ParameterSet,
    SearchSpace,
    optimize,
)
from hpo_core.errors import StrategyError
from hpo_core.plugin import (
    Asked,
    Capability,
    Decision,
    Exhausted,
    Parameter,
    Problem,
    Report,
    Resume,
    SavedState,
    Start,
    Status,
    Told,
    Unsupported,
    Wait,
)

PROGRAM = """
import json, os, sys, threading

ANSWERS = {
    "hello": {"type": "hello", "protocol": 1, "capabilities": ["integers", "conditional"]},
    "problem": {"type": "ready"},
    "ask": {"type": "start", "configuration": {"x": 2}},
    "adopt": {"type": "done"},
    "tell": {"type": "decision", "decision": "continue"},
    "save": {"type": "state", "state": None},
    "restore": {"type": "replay"},
}

def answer(message):
    print(json.dumps(ANSWERS[message["type"]]), flush=True)

CHANGES

for line in sys.stdin:
    with open("heard", "a") as heard:
        heard.write(line)
    message = json.loads(line)
    if message["type"] != "bye":
        answer(message)
"""

ONE_INT = (Int("x", 1, 3),)


class Make(Protocol):
    """Makes the strategy of a program, of which something is changed."""

    def __call__(
        self, changes: str = "", *parameters: Parameter, **options: Any
    ) -> ProcessStrategy: ...


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def make(folder: Path) -> Iterator[Make]:
    made: list[ProcessStrategy] = []

    def begin(changes: str = "", *parameters: Parameter, **options: Any) -> ProcessStrategy:
        made.append(ProcessStrategy(problem(*parameters), program(changes, **options)))
        return made[-1]

    yield begin
    for strategy in made:
        strategy.close()


def program(changes: str = "", **options: Any) -> ProcessOptions:
    """Write the program into the working directory, and return how it is begun."""
    Path("program.py").write_text(PROGRAM.replace("CHANGES", textwrap.dedent(changes)))
    return ProcessOptions((sys.executable, "program.py"), **options)


def problem(*parameters: Parameter, **changes: Any) -> Problem:
    fields: dict[str, Any] = {
        "space": SearchSpace(parameters or ONE_INT),
        "objectives": (Objective("loss", "minimize"),),
        "seed": 7,
    }
    return Problem(**{**fields, **changes})


def heard(kind: str) -> list[dict[str, Any]]:
    """Return the messages of a type that the program has got."""
    messages = map(json.loads, Path("heard").read_text().splitlines())
    return [message for message in messages if message["type"] == kind]


def report(**changes: Any) -> Report:
    return Report(**{"trial_id": 1, "job_id": "1.1", "status": Status.COMPLETED, **changes})


# -- messages --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"type": "start", "configuration": {"x": 3}}', Start(Configuration(x=3))),
        (
            '{"type": "start", "configuration": {"x": 1}, "iterations": 9, "notes": [1, null]}',
            Start(Configuration(x=1), 9, [1, None]),
        ),
        ('{"type": "resume", "trial_id": 4}', Resume(4)),
        (
            '{"type": "resume", "trial_id": 4, "iterations": 9, "configuration": {"x": 1},'
            ' "checkpoint_from": 2, "of later versions": 1}',
            Resume(4, 9, Configuration(x=1), 2),
        ),
        ('{"type": "wait"}', Wait()),
        ('{"type": "exhausted"}', Exhausted()),
    ],
)
def test_each_answer_to_an_ask_is_understood(make: Make, answer: str, expected: object) -> None:
    strategy = make(f"ANSWERS['ask'] = json.loads('{answer}')")
    assert strategy.ask(1) == expected
    assert heard("ask") == [{"type": "ask", "trial_id": 1}]


@pytest.mark.parametrize("decision", list(Decision))
def test_a_report_is_told_and_decided_on(make: Make, decision: Decision) -> None:
    strategy = make(f"ANSWERS['tell']['decision'] = '{decision.value}'")
    told = report(iteration=3, losses=(0.5,), metrics={"loss": 0.5, "odd": float("nan")})
    assert strategy.tell(told) is decision
    assert heard("tell")[0]["report"] == {
        "trial_id": 1,
        "job_id": "1.1",
        "iteration": 3,
        "losses": [0.5],
        "status": "completed",
        "metrics": {"loss": 0.5, "odd": None},
    }


def test_the_problem_is_told_with_the_options_of_the_program(make: Make) -> None:
    make("", options={"population": 4})
    (said,) = heard("problem")
    assert (said["seed"], said["workers"], said["options"]) == (7, 1, {"population": 4})


SPACE = SearchSpace(
    (
        Float("free", 0.0, 1.0),
        Float("stepped", 0.0, 0.9, step=0.1, when={"kind": (1.0, "1")}),
        Categorical("kind", (1, 1.0, True, "1", None)),
        Constant("fixed", 2.5, when={"s_x": 1}),
        ParameterSet("s", ({"s_x": 1, "s_y": "p"}, {"s_x": 2, "s_y": "q"}, {"s_x": 1, "s_y": "q"})),
    ),
    ({"s_x": 1, "s_y": "q", "kind": (None, True)}, {"stepped": 0.3}),
)


def test_whatever_has_listed_points_goes_by_its_index(make: Make) -> None:
    everything = "ANSWERS['hello']['capabilities'] += ['categoricals', 'forbidden']\n"
    sent = {"free": 1, "kind": 3, "stepped": 3, "s": 2, "fixed": 0}
    strategy = ProcessStrategy(
        problem(space=SPACE), program(f"{everything}ANSWERS['ask']['configuration'] = {sent}")
    )
    suggestion = strategy.ask(1)
    strategy.adopt(2, suggestion)  # type: ignore[arg-type]  # a Start
    strategy.close()

    configuration = suggestion.configuration  # type: ignore[union-attr]  # likewise
    expected = {"free": 1.0, "kind": "1", "stepped": 0.3, "s_x": 1, "s_y": "q", "fixed": 2.5}
    assert configuration == expected
    assert {name: type(value) for name, value in configuration.items()} == {
        name: type(value) for name, value in expected.items()
    }
    assert heard("adopt")[0]["suggestion"]["configuration"] == sent
    (said,) = heard("problem")
    when = {parameter["name"]: parameter["when"] for parameter in said["parameters"]}
    assert when == {
        "free": {},
        "kind": {},
        "stepped": {"kind": [1, 3]},
        "s": {},
        "fixed": {"s": [0, 2]},
    }
    assert said["forbidden"] == [{"s": [2], "kind": [4, 2]}, {"stepped": [3]}]
    order = [parameter["name"] for parameter in said["parameters"]]
    assert order.index("kind") < order.index("stepped")
    assert order.index("s") < order.index("fixed")


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({}, "x is active but has no value"),
        ({"x": 4}, "x lies between 1 and 3, got 4"),
        ({"x": 1.5}, "x takes an integer, got 1.5"),
        ({"x": 1, "y": 2}, "y is unknown or not active"),
    ],
)
def test_invalid_configuration_lists_its_faults(
    make: Make, configuration: dict[str, Any], said: str
) -> None:
    strategy = make(f"ANSWERS['ask']['configuration'] = {configuration}")
    with pytest.raises(StrategyError, match=said):
        strategy.ask(1)


def test_an_index_out_of_range_is_an_error(make: Make) -> None:
    strategy = make("ANSWERS['ask']['configuration'] = {'x': 10}", Float("x", 0.0, 0.9, step=0.1))
    with pytest.raises(StrategyError, match="x takes an index from 0 to 9, got 10"):
        strategy.ask(1)


# -- restoring -------------------------------------------------------------------------------

HISTORY = [
    Asked(1, Start(Configuration(x=2))),
    Told(report(losses=(0.5,)), Decision.CONTINUE),
    Asked(2, Start(Configuration(x=1)), adopted=True),
]


def test_a_program_may_restore_itself(make: Make) -> None:
    make("ANSWERS['restore'] = {'type': 'done'}").restore(HISTORY, SavedState({"a": 1}, 2))
    (said,) = heard("restore")
    assert [event["type"] for event in said["history"]] == ["asked", "told", "asked"]
    assert [event.get("adopted") for event in said["history"]] == [False, None, True]
    assert said["saved"] == {"state": {"a": 1}, "events": 2}
    assert heard("ask") == []


def test_a_program_may_have_it_all_done_again(make: Make) -> None:
    make().restore(HISTORY, None)
    assert (len(heard("ask")), len(heard("tell")), len(heard("adopt"))) == (1, 1, 1)


def test_a_program_that_does_otherwise_when_it_does_it_again_is_an_error(make: Make) -> None:
    with pytest.raises(StrategyError, match="restoring trial 1: the strategy now suggests"):
        make("ANSWERS['ask']['configuration'] = {'x': 3}").restore(HISTORY, None)


# -- what is refused -------------------------------------------------------------------------


def test_a_need_that_the_program_lacks_is_refused(make: Make) -> None:
    with pytest.raises(Unsupported, match=r"needs categoricals, which the process .* does not"):
        make("", Categorical("c", ("a", "b")))
    assert heard("problem") == []


def test_what_a_program_can_do_is_what_it_says(make: Make) -> None:
    assert make().capabilities == {Capability.INTEGERS, Capability.CONDITIONAL}


def test_what_a_program_refuses_are_faults_of_the_input(make: Make) -> None:
    refusal = {"type": "refuse", "faults": [{"path": "options.p", "message": "too small"}]}
    with pytest.raises(InvalidInput, match=r"options\.p: too small"):
        make(f"ANSWERS['problem'] = {refusal}")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("ANSWERS['hello']['protocol'] = 2", "version 2 of the protocol, and this .* speaks 1"),
        ("ANSWERS['hello']['capabilities'] = ['magic']", "capabilities magic, which are unknown"),
    ],
)
def test_a_hello_that_does_not_suit_is_an_error(make: Make, changes: str, said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        make(changes)


def test_a_command_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(
        StrategyError, match=r"\['no-such-program'\] cannot be started: .*No such file"
    ):
        ProcessStrategy(problem(), ProcessOptions(("no-such-program",)))


# -- what goes wrong -------------------------------------------------------------------------

ON_ASK = """
def answer(message, usual=answer):
    if message["type"] != "ask":
        return usual(message)
    sys.stderr.write("about to fail\\n" * 10_000 + "the end\\n")
    sys.stderr.flush()
    {}
"""


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("sys.exit(3)", r"ended \(exit status 3\)"),
        ("os.kill(os.getpid(), 9)", r"ended \(exit status -9\)"),
        ('os.write(1, b\'{"type": "sta\'); sys.exit(0)', 'after half a line: {"type": "sta'),
        ("os.write(1, b'hello there\\n')", "answered hello there, which is not an answer"),
        ("os.write(1, b'[1, 2]\\n')", r"answered \[1, 2\], which is not an answer"),
        ("os.write(1, b'\\xff\\xfe\\n')", "which is not an answer"),
        ('os.write(1, b\'{"type": "begin"}\\n\')', "which is not an answer: Invalid value 'begin'"),
        ('os.write(1, b\'{"type": "start"}\\n\')', "missing required field `configuration`"),
        ('os.write(1, b\'{"type": "done"}\\n\')', "which does not fit"),
        ('os.write(1, b\'{"type": "error", "message": "no idea"}\\n\')', "says: no idea"),
        ("threading.Event().wait()", "has not answered within 1 s"),
        ("os.write(1, b'{\"type'); threading.Event().wait()", 'so far: {"type'),
    ],
)
def test_a_program_that_breaks_the_protocol_is_an_error_that_shows_both_sides(
    make: Make, deed: str, said: str
) -> None:
    strategy = make(ON_ASK.format(deed), time_limit=1.0 if "Event" in deed else 60.0)
    with pytest.raises(StrategyError) as caught:
        strategy.ask(1)
    message = str(caught.value)
    assert 'was sent {"type":"ask","trial_id":1}, and ' in message
    assert message.endswith("about to fail\nthe end")
    assert "the end of its standard error: " in message
    caught.match(said)


def test_a_program_that_speaks_unasked_is_an_error(make: Make) -> None:
    strategy = make(
        "ANSWERS['save'] = {'type': 'state', 'state': 1}\n"
        + ON_ASK.format('os.write(1, b\'{"type": "wait"}\\n{"type": "wait"}\\n\')')
    )
    assert strategy.ask(1) == Wait()
    with pytest.raises(StrategyError, match="had spoken unasked"):
        strategy.ask(1)


def test_much_output_on_all_pipes_at_once(make: Make) -> None:
    big = "x" * 1_000_000
    strategy = make(
        f"ANSWERS['ask']['notes'] = 'x' * {len(big)}\n"
        "def answer(message, usual=answer):\n"
        "    sys.stderr.write('y' * 1_000_000); sys.stderr.flush(); usual(message)"
    )
    assert strategy.ask(1) == Start(Configuration(x=2), notes=big)
    strategy.adopt(2, Start(Configuration(x=2), notes=big))
    assert heard("adopt")[0]["suggestion"]["notes"] == big


# -- the end ---------------------------------------------------------------------------------

PID = "open('pid', 'w').write(str(os.getpid()))\n"


def pid() -> int:
    return int(Path("pid").read_text())


def is_gone(process: int) -> bool:
    """Wait for the end of a process that was killed: it takes a moment on a busy machine."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([descriptor], [], [], 60.0)
    os.close(descriptor)
    return bool(ready)


def test_a_program_is_told_goodbye_and_is_gone_when_the_strategy_is_closed(make: Make) -> None:
    strategy = make(PID)
    strategy.close()
    assert heard("bye") == [{"type": "bye"}]
    assert is_gone(pid())
    strategy.close()  # once more does no harm
    with pytest.raises(StrategyError, match="has been ended"):
        strategy.ask(1)


def test_a_program_that_does_not_end_by_itself_is_killed_with_what_it_has_begun(make: Make) -> None:
    strategy = make(
        "import signal, subprocess\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '1000'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "import atexit; atexit.register(threading.Event().wait)"
    )
    process = strategy._process._process.pid
    strategy.close()
    assert is_gone(process)
    assert is_gone(pid())


def test_what_a_program_has_begun_is_gone_when_it_dies(make: Make) -> None:
    strategy = make(
        "import subprocess\n"
        "none = subprocess.DEVNULL\n"
        "child = subprocess.Popen(['sleep', '1000'], stdin=none, stdout=none, stderr=none)\n"
        "open('pid', 'w').write(str(child.pid))\n" + ON_ASK.format("sys.exit(3)")
    )
    with pytest.raises(StrategyError, match="exit status 3"):
        strategy.ask(1)
    assert is_gone(pid())


def test_a_program_is_gone_after_it_has_broken_the_protocol(make: Make) -> None:
    strategy = make(PID + ON_ASK.format("os.write(1, b'rubbish\\n')"))
    with pytest.raises(StrategyError):
        strategy.ask(1)
    assert is_gone(pid())


def test_a_program_is_gone_when_the_strategy_is_forgotten(folder: Path) -> None:
    strategy = ProcessStrategy(problem(), program(PID))
    del strategy
    assert is_gone(pid())


def test_no_program_and_no_descriptor_is_left_after_a_study(folder: Path) -> None:
    options = program(PID)
    before = len(os.listdir("/dev/fd"))
    result = optimize(
        lambda values: float(values["x"]),
        list(ONE_INT),
        objective=Objective("loss", "minimize"),
        budget=Budget(jobs=3),
        strategy="process",
        options={"command": list(options.command)},
        backend="inline",
    )
    assert len(result.trials) == 3
    assert is_gone(pid())
    assert len(os.listdir("/dev/fd")) == before
    assert [message["report"]["losses"] for message in heard("tell")][-1] == [2.0]


RELATIVE = """
name = "s"
[strategy]
name = "process"
options = { command = ["python3", "mine.py"] }
[objective]
metric = "loss"
direction = "minimize"
[budget]
jobs = 2
[job]
command = ["sh", "-c", "echo '{{\\"loss\\": {x}}}' > /dev/fd/$HPO_REPORT_FD"]
[parameters.x]
type = "int"
low = 1
high = 9
"""


def run_hpo(home: Path, folder: Path, *arguments: str) -> dict[str, Any]:
    """Call the command line from a folder, and return the JSON that it prints, if it does."""
    command = [sys.executable, "-c", "from hpo_core.cli.main import main; main()", *arguments]
    command += ["--store", str(home / "hpo.db")]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout) if "--json" in arguments else {}
    return found


def test_a_relative_path_is_fixed_when_the_study_begins(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine.py").write_text(PROGRAM.replace("CHANGES", ""))
    (tmp_path / "study.toml").write_text(RELATIVE)

    def hpo(folder: Path, *arguments: str) -> dict[str, Any]:
        return run_hpo(tmp_path, folder, *arguments)

    hpo(tmp_path, "run", "study.toml")
    hpo(tmp_path / "elsewhere", "run", "../study.toml")  # it is the same study
    hpo(tmp_path / "elsewhere", "extend", "s", "--jobs", "4")
    hpo(tmp_path / "elsewhere", "resume", "s")
    shown = hpo(tmp_path / "elsewhere", "show", "s", "--json")
    assert shown["state"] == "finished"
    assert shown["config"]["strategy"]["options"]["directory"] == str(tmp_path)


def test_study_stored_without_its_folder_runs_where_it_is_resumed(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.py").write_text(PROGRAM.replace("CHANGES", ""))
    (tmp_path / "study.toml").write_text(RELATIVE)
    run_hpo(tmp_path, tmp_path, "run", "study.toml")
    with closing(sqlite3.connect(tmp_path / "hpo.db")) as connection, connection:
        path = "$.strategy.options.directory"
        connection.execute("UPDATE study SET config = json_remove(config, ?)", (path,))
    # What would be run is not what this user's mark covers, as in any older study: trusted once.
    run_hpo(tmp_path, tmp_path, "extend", "s", "--jobs", "4", "--trust")
    run_hpo(tmp_path, tmp_path, "extend", "s", "--jobs", "5")
    run_hpo(tmp_path, tmp_path, "resume", "s")
    assert run_hpo(tmp_path, tmp_path, "show", "s", "--json")["usage"]["jobs"] == 5


def test_a_file_does_not_run_what_only_the_store_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is not in the file, and a received store would say which program that is."""
    (tmp_path / "mine.py").write_text(PROGRAM.replace("CHANGES", ""))
    (tmp_path / "study.toml").write_text(RELATIVE)
    run_hpo(tmp_path, tmp_path, "run", "study.toml")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "mine.py").write_text(
        f"open({str(tmp_path / 'pwned')!r}, 'w')\n" + PROGRAM.replace("CHANGES", "")
    )
    with closing(sqlite3.connect(tmp_path / "hpo.db")) as connection, connection:
        path = "$.strategy.options.directory"
        change = "UPDATE study SET state = 'interrupted', config = json_set(config, ?, ?)"
        connection.execute(change, (path, str(tmp_path / "theirs")))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody else's"))
    command = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]
    command += ["run", "study.toml", "--store", "hpo.db"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "you have neither started nor trusted the study 's'" in refused.stderr
    assert not (tmp_path / "pwned").exists()
