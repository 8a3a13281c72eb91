"""A program that is stopped, does not read or never stops writing blocks nothing."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hpo_process import conversation, messages
from hpo_process.conversation import LONGEST, Conversation

from hpo_core.errors import StrategyError

Talk = Callable[..., Conversation]


@pytest.fixture
def talk() -> Iterator[Talk]:
    """Begins a shell command, and a conversation with it."""
    begun: list[Conversation] = []

    def begin(script: str, time_limit: float = 60.0) -> Conversation:
        begun.append(Conversation(["sh", "-c", script], time_limit))
        return begun[-1]

    yield begin
    for each in begun:
        each.interrupt(at_once=True)
        each.close()


BIG = {"type": "ask", "notes": "x" * 1_000_000}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exec sleep 600", "has not answered within 0.2 s"),  # and reads nothing
        ("kill -STOP $$", "has not answered within 0.2 s"),
        ("yes >&2 & wait", "has not answered within 0.2 s.*standard error: .*y\ny"),
        ("printf '{'; exec sleep 600", "within 0.2 s; so far: {"),
    ],
)
def test_an_answer_is_late_whatever_the_program_does_with_its_pipes(
    talk: Talk, script: str, said: str
) -> None:
    with pytest.raises(StrategyError, match=f"(?s){said}"):
        talk(script, 0.2).exchange(BIG, messages.Done)


def test_an_answer_that_never_ends_is_broken_off_before_it_fills_the_memory(talk: Talk) -> None:
    with pytest.raises(StrategyError, match=f"answered more than {LONGEST:,} bytes: xxx"):
        talk("exec tr '\\0' x < /dev/zero").exchange(BIG, messages.Done)


def test_a_long_message_and_a_long_answer_come_through(talk: Talk) -> None:
    echo = 'read line; printf \'{"type": "state", "state": \'; printf %s "$line"; echo "}"; cat'
    assert talk(echo).exchange(BIG, messages.State).state == BIG


@pytest.mark.parametrize("script", ["exec yes", "yes >&2 & wait", "kill -STOP $$"])
def test_a_program_that_never_ends_is_killed_after_the_grace_period(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(conversation, "GRACE", 0.1)
    endless = talk(script)
    endless.close()
    assert endless._process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("at_once", [True, False])
def test_an_answer_is_not_waited_for_once_the_study_is_to_end(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr(conversation, "GRACE", 0.1)
    hung = talk("echo >&2; read line; kill -STOP $$")
    threading.Timer(0.1, hung.interrupt, kwargs={"at_once": at_once}).start()
    with pytest.raises(StrategyError, match="had not answered when the study was to end"):
        hung.exchange({"type": "ask"}, messages.Done)


def test_an_answer_in_good_time_counts_although_the_study_is_to_end(talk: Talk) -> None:
    busy = talk('while read line; do echo \'{"type": "done"}\'; done')
    busy.interrupt(at_once=False)
    for _ in range(3):
        assert busy.exchange({"type": "adopt"}, messages.Done) == messages.Done()


# -- whole studies ----------------------------------------------------------------------------

PROGRAM = """
import json, os, signal, sys

ANSWERS = {
    "hello": {"type": "hello", "protocol": 1, "capabilities": []},
    "problem": {"type": "ready"},
    "save": {"type": "state", "state": None},
    "tell": {"type": "decision", "decision": "continue"},
    "restore": {"type": "replay"},
}

for line in sys.stdin:
    message = json.loads(line)
    kind = message["type"]
    if kind == sys.argv[1] and message.get("trial_id") != 1 and not os.path.exists("mended"):
        with open("hung", "w") as hung:
            hung.write(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGSTOP)
    if kind == "bye":
        break
    x = message.get("trial_id", 0) / 8
    answer = {"type": "start", "configuration": {"x": x}} if kind == "ask" else ANSWERS[kind]
    print(json.dumps(answer), flush=True)
"""

STUDY = """
name = "s"
seed = 1
workers = 2
strategy = {{ name = "process", options = {{ command = ["{python}", "program.py", "{on}"] }} }}
objective = {{ metric = "loss", direction = "minimize" }}
budget = {{ {budget} }}
job = {{ command = ["sh", "job.sh", "{{x}}"], time_limit = "0.4s" }}
parameters.x = {{ type = "float", low = 0.0, high = 1.0 }}
"""

REPORT = 'echo "{\\"loss\\": $1}" >&$HPO_REPORT_FD\n'


class Study:
    """A study whose strategy stops itself as it gets a message of some type."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        os.mkfifo(folder / "hung")
        (folder / "program.py").write_text(PROGRAM)

    def begin(self, on: str, job: str = REPORT, budget: str = "jobs = 4") -> None:
        (self.folder / "job.sh").write_text(job)
        text = STUDY.format(python=sys.executable, on=on, budget=budget)
        (self.folder / "study.toml").write_text(text)
        self.controller = self.hpo("run", "study.toml")

    def hpo(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from hpo_core.cli.main import main; main()", *arguments]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, text=True, **output)  # type: ignore[call-overload,no-any-return]  # of a dict it knows no types

    def hangs(self) -> int:
        """Wait until the strategy hangs, and return its process."""
        return int((self.folder / "hung").read_text())

    def stored(self, *arguments: str) -> Any:
        out, err = self.hpo(*arguments, "--json").communicate(timeout=60)
        assert not err
        return json.loads(out)

    def mended(self) -> list[int]:
        """Run it again with a strategy that is mended; return the trials that are completed."""
        (self.folder / "mended").touch()
        process = self.hpo("run", "study.toml", "--quiet")
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        jobs = self.stored("jobs", "s")
        return [job["trial_id"] for job in jobs if job["state"] == "completed"]


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = Study(tmp_path)
    yield made
    made.controller.kill()
    made.controller.communicate()


def is_gone(pid: int) -> bool:
    """Wait for the end of a process."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([process], [], [], 60.0)
    os.close(process)
    return bool(ready)


@pytest.mark.parametrize(
    ("on", "number", "said"),
    [
        ("ask", signal.SIGINT, "interrupted by Ctrl-C"),
        ("tell", signal.SIGTERM, "ended by SIGTERM"),
    ],
)
def test_a_signal_ends_a_study_whose_strategy_hangs_and_it_can_be_resumed(
    study: Study, on: str, number: signal.Signals, said: str
) -> None:
    study.begin(on)
    strategy = study.hangs()
    study.controller.send_signal(number)
    out, err = study.controller.communicate(timeout=50)  # an answer may take 60 s
    assert study.controller.returncode == 130
    assert said in out
    assert "the study ends without its strategy: " in err
    assert "had not answered when the study was to end" in err
    assert is_gone(strategy)
    assert sorted(study.mended()) == [1, 2, 3, 4]


def test_a_signal_ends_a_study_whose_strategy_hangs_from_the_beginning(study: Study) -> None:
    study.begin("hello")
    strategy = study.hangs()
    study.controller.send_signal(signal.SIGINT)
    _, err = study.controller.communicate(timeout=50)
    assert study.controller.returncode == 130
    assert "Traceback" not in err
    assert is_gone(strategy)


def test_a_job_is_ended_at_its_limit_while_the_strategy_hangs(study: Study) -> None:
    os.mkfifo(study.folder / "began")
    began = os.open(study.folder / "began", os.O_RDWR)  # the job does not wait to write there
    slow = "[ $HPO_TRIAL_ID = 2 ] && { echo $$ > began; exec sleep 600; }\n"
    study.begin("tell", slow + REPORT)
    strategy = study.hangs()
    assert is_gone(int(os.read(began, 100)))
    os.close(began)
    (study.folder / "mended").touch()
    os.kill(strategy, signal.SIGCONT)
    study.controller.communicate(timeout=60)
    second = study.stored("jobs", "s")[1]
    assert second["reason"] == "ran longer than its limit of 0.4 s"


def test_the_wall_time_of_a_study_holds_although_its_strategy_hangs(study: Study) -> None:
    study.begin("ask", budget='wall_time = "1s"')
    strategy = study.hangs()
    study.controller.communicate(timeout=50)
    shown = study.stored("show", "s")
    assert (shown["state"], shown["reason"]) == ("finished", "its wall time of 1.0s has passed")
    assert is_gone(strategy)
