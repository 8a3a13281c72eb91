"""Ctrl-C and the live display, with real processes and a real terminal (a pty)."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping
from typing import Any

import pytest

Hpo = Callable[..., Any]
Write = Callable[..., None]
Start = Callable[..., subprocess.Popen[str]]

REPORTS = 'echo "{\\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD'
ONE_BY_ONE = ("workers = 2", "workers = 1")
IDS = ("seed = 7", 'seed = 7\njob_name = "{trial_id}"')


def test_ctrl_c_in_the_middle_loses_and_repeats_no_finished_job(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    write(ONE_BY_ONE, ("jobs = 6", "jobs = 4"), job=f"echo $1 > began; read l < go; {REPORTS}")
    first = start("run", "study.toml")
    before = [began.line()]
    for _ in range(2):
        go.let_one_go()
        before.append(began.line())
    first.send_signal(signal.SIGINT)
    out, err = first.communicate()
    assert first.returncode == 130
    assert "interrupted by Ctrl-C. To continue: hpo resume small" in out
    assert "Traceback" not in err
    stored = [job for job in hpo("jobs", "small", "--json").json() if job["state"] == "completed"]
    assert len(stored) == 2

    second = start("run", "study.toml", "--quiet")
    after = []
    for _ in range(2):
        after.append(began.line())
        go.let_one_go()
    assert second.wait() == 0
    assert after[0] == before[2], "the interrupted trial is run again, with its values"
    jobs = [job for job in hpo("jobs", "small", "--json").json() if job["state"] == "completed"]
    assert jobs[:2] == stored
    assert [job["trial_id"] for job in jobs] == [1, 2, 3, 4]


def test_sigterm_ends_a_study_in_an_orderly_way_too(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    write(ONE_BY_ONE, job="echo $$ > began; read l < go")
    running = start("run", "study.toml")
    pid = int(began.line())
    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate()
    assert running.returncode == 130
    assert "ended by SIGTERM" in out
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_second_ctrl_c_forces_jobs_that_will_not_end(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    stubborn = "trap 'echo asked > began' TERM; echo $$ > began; while :; do read l < go; done"
    write(ONE_BY_ONE, job=stubborn)  # its grace is a minute
    running = start("run", "study.toml", "--quiet")
    pid = int(began.line())
    running.send_signal(signal.SIGINT)
    assert began.line() == "asked"
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=30) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# -- the live display -----------------------------------------------------------------------


class Terminal:
    """A terminal of a given width, in which a command runs; it is read as it is written.

    Args:
        columns: Its width.
    """

    def __init__(self, columns: int) -> None:
        self._ours, self.theirs = os.openpty()
        self.resize(columns)
        self.text = ""

    def resize(self, columns: int) -> None:
        """Change its width."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))

    def adopt(self) -> None:
        """Become the terminal of the calling process, so that Ctrl-C reaches it."""
        fcntl.ioctl(self.theirs, termios.TIOCSCTTY, 0)

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._ours, key)

    def read_until(self, pattern: str) -> str:
        """Read until the text has the pattern, and return all of the text since the last time."""
        since = len(self.text)
        while not re.search(pattern, self.text[since:], re.DOTALL):
            self.text += os.read(self._ours, 65536).decode(errors="replace")
        return self.text[since:]

    def close(self) -> None:
        """Close its window."""
        os.close(self.theirs)
        os.close(self._ours)

    def read_to_the_end(self) -> str:
        """Read until nobody holds the other side any more; return all of the text."""
        os.close(self.theirs)
        try:
            while data := os.read(self._ours, 65536):
                self.text += data.decode(errors="replace")
        except OSError:  # how a pty ends
            pass
        os.close(self._ours)
        return self.text

    def run(self, start: Start, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in it."""
        return start(
            *arguments,
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            start_new_session=True,
            preexec_fn=self.adopt,
            env={**_without(os.environ), "TERM": "xterm-256color"},
        )


def _without(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that says nothing of a terminal.

    It is given to a process in any case: readline sets COLUMNS behind Python's back.
    """
    names = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
    return {name: value for name, value in environment.items() if name not in names}


def lines(text: str) -> list[str]:
    """Return what was written as lines, without colours and cursor movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n").splitlines()


def test_the_live_display_shows_the_counts_the_best_and_each_failure(
    write: Write, start: Start, began: Any, go: Any
) -> None:
    job = f"echo b > began; read l < go; [ $HPO_TRIAL_ID = 2 ] && exit 3; {REPORTS}"
    write(ONE_BY_ONE, IDS, ("jobs = 6", "jobs = 3"), job=job)
    terminal = Terminal(100)
    running = terminal.run(start, "run", "study.toml")
    terminal.read_until("0 done, 1 running, 0 failed")
    go.let_one_go()
    terminal.read_until("2 of 3.*1 done, 1 running, 0 failed.*best: loss 0")
    go.let_one_go()
    terminal.read_until("2 failed: exit status 3")
    go.let_one_go()
    text = terminal.read_to_the_end()
    assert running.wait() == 0
    assert any("2 done, 0 running, 1 failed; 1 worker" in line for line in lines(text))
    assert "Study 'small' finished" in text


def test_on_a_narrow_terminal_a_line_is_cut_and_does_not_go_on_below(
    write: Write, start: Start, began: Any, go: Any
) -> None:
    name = "a-long-name-" * 12
    write(
        ONE_BY_ONE,
        ("seed = 7", f'seed = 7\njob_name = "{name}"'),
        ("jobs = 6", "jobs = 1"),
        job=f"echo b > began; read l < go; {REPORTS}",
    )
    terminal = Terminal(60)
    running = terminal.run(start, "run", "study.toml")
    shown = terminal.read_until("a-long-name.*a-long-name")
    assert "…" in shown
    terminal.resize(40)
    go.let_one_go()
    text = terminal.read_to_the_end().partition("Study 'small' ")[0]
    assert running.wait() == 0
    assert max(map(len, lines(text))) <= 60
    rows = [line for line in lines(text) if line.lstrip().startswith("a-long-name")]
    assert rows
    assert all(row.rstrip().endswith("…") for row in rows)


def test_a_name_is_shown_as_it_is_whatever_it_means_to_the_display_or_the_terminal(
    write: Write, start: Start, began: Any, go: Any
) -> None:
    name = "[red]{trial_id}[/red]\\u001b]0;x"
    write(
        ONE_BY_ONE,
        ("seed = 7", f'seed = 7\njob_name = "{name}"'),
        ("jobs = 6", "jobs = 1"),
        job=f"echo b > began; read l < go; {REPORTS}",
    )
    terminal = Terminal(100)
    running = terminal.run(start, "run", "study.toml")
    terminal.read_until(r"\[red\]1\[/red\]\\x1b\]0;x")
    go.let_one_go()
    text = terminal.read_to_the_end()
    assert running.wait() == 0
    assert "([red]1[/red]\\x1b]0;x)" in text
    assert "\x1b]" not in text


def test_after_ctrl_c_the_display_says_what_is_waited_for_and_how_to_force_it(
    write: Write, start: Start, began: Any, go: Any
) -> None:
    stubborn = "trap 'echo asked > began' TERM; echo $$ > began; while :; do read l < go; done"
    write(ONE_BY_ONE, job=stubborn)
    terminal = Terminal(100)
    running = terminal.run(start, "run", "study.toml")
    pid = int(began.line())
    terminal.read_until("1 running")
    terminal.press(b"\x03")
    terminal.read_until("press Ctrl-C again to kill them")
    terminal.press(b"\x03")
    text = terminal.read_to_the_end()
    assert running.wait(timeout=30) == 130
    assert "interrupted by Ctrl-C. To continue: hpo resume small" in text
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_terminal_that_is_closed_ends_the_study_in_an_orderly_way(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    write(ONE_BY_ONE, job="echo $$ > began; read l < go")
    terminal = Terminal(100)
    running = terminal.run(start, "run", "study.toml")
    pid = int(began.line())
    terminal.read_until("1 running")
    terminal.close()
    assert running.wait(timeout=30) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    shown = hpo("show", "small", "--json").json()
    assert (shown["state"], shown["reason"]) == ("interrupted", "its terminal was closed")


def test_hundreds_of_quick_jobs_leave_a_short_trace(write: Write, start: Start) -> None:
    write(("jobs = 6", "jobs = 300"), job=REPORTS)
    terminal = Terminal(80)
    running = terminal.run(start, "run", "study.toml")
    text = terminal.read_to_the_end()
    assert running.wait() == 0
    assert any("300 done, 0 running, 0 failed" in line for line in lines(text))
    assert text.count("300 done") <= 3
