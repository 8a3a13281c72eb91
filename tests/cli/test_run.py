"""``hpo run``, ``resume``, ``extend`` and ``try``: jobs, output and exit status."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]
Write = Callable[..., None]

REPORTS = 'echo "{\\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD'
FAILS = "echo 'oh no' >&2; exit 3"


# -- run ------------------------------------------------------------------------------------


def test_a_study_runs_and_shows_its_best_five(write: Write, hpo: Hpo) -> None:
    write()
    ended = hpo("run", "study.toml")
    assert ended.status == 0
    assert "Study 'small' finished: all 6 jobs of its budget have run." in ended.out
    rows = ended.out.partition("The best 5 of 6 trials:\n")[2].splitlines()
    assert rows[0].split() == ["rank", "trial", "loss", "name", "configuration"]
    losses = [float(row.split()[2]) for row in rows[1:]]
    assert losses == sorted(losses)
    assert len(losses) == 5
    assert "6 done, 0 running, 0 failed" in ended.err


def test_a_finished_study_runs_no_job_again_and_says_how_to_extend_it(small: Hpo) -> None:
    ended = small("run", "study.toml")
    assert ended.status == 0
    assert "finished: all 6 jobs of its budget have run." in ended.out
    assert "hpo extend small --jobs +10" in ended.out
    assert len(small("jobs", "small", "--json").json()) == 6


def test_json_is_one_document(write: Write, hpo: Hpo) -> None:
    write()
    ended = hpo("run", "study.toml", "--json")
    summary = ended.json()
    assert (summary["state"], summary["usage"]["jobs"]) == ("finished", 6)
    assert len(summary["top"]) == 5
    assert ended.err == ""


def test_quiet_shows_no_progress_and_keeps_the_outcome(write: Write, hpo: Hpo) -> None:
    write()
    ended = hpo("run", "study.toml", "--quiet")
    assert (ended.status, ended.err) == (0, "")
    assert "The best 5 of 6 trials:" in ended.out


def test_options_stand_above_the_file(write: Write, hpo: Hpo) -> None:
    write()
    given = ["--jobs", "2", "--workers", "1", "--seed", "3", "--name", "other", "--store", "o.db"]
    assert hpo("run", "study.toml", "--strategy", "grid", "-o", "points=4", *given).status == 0
    shown = hpo("show", "other", "--store", "o.db", "--json").json()
    config = shown["config"]
    assert (config["seed"], config["workers"], config["budget"]["jobs"]) == (3, 1, 2)
    assert config["strategy"] == {"name": "grid", "options": {"points": 4}}


def test_the_files_options_are_not_taken_for_another_strategys_without_a_word(
    write: Write, hpo: Hpo, caplog: pytest.LogCaptureFixture
) -> None:
    write(('"random"', '{ name = "grid", options = { points = 3 } }'))
    ended = hpo("run", "study.toml", "--strategy", "random")
    assert ended.status == 0
    assert "the options of 'grid' in the file are not for 'random'" in caplog.text


def test_the_files_options_stay_where_the_strategy_is_the_same(
    write: Write, hpo: Hpo, caplog: pytest.LogCaptureFixture
) -> None:
    write(('"random"', '{ name = "grid", options = { points = 3 } }'))
    ended = hpo("run", "study.toml", "--strategy", "grid")
    assert (ended.status, caplog.text) == (0, "")
    assert hpo("show", "small", "--json").json()["config"]["strategy"]["options"] == {"points": 3}


def test_a_changed_file_is_an_error_that_lists_the_differences(write: Write, small: Hpo) -> None:
    write(("high = 1.0", "high = 2.0"), ("jobs = 6", "jobs = 9"))
    ended = small("run", "study.toml")
    assert ended.status == 2
    assert ended.err.startswith("error: the study 'small' is in the store with another")
    lines = ended.err.splitlines()
    assert "  parameters.x.high: 1.0 -> 2.0" in lines
    assert "  budget.jobs: 6 -> 9" in lines
    assert "hpo extend small" in lines[-1]


def test_run_settings_may_change_with_a_warning(
    small: Hpo, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        connection.execute("UPDATE study SET state = 'interrupted'")
    ended = small("run", "study.toml", "--workers", "3", "--quiet")
    assert ended.status == 0
    assert "from now on the study 'small' has workers: 2 -> 3" in caplog.text
    assert small("show", "small", "--json").json()["config"]["workers"] == 3


def test_a_file_without_a_seed_carries_its_study_on(write: Write, hpo: Hpo) -> None:
    write(("seed = 7\n", ""))
    assert hpo("run", "study.toml", "--quiet").status == 0
    assert hpo("run", "study.toml").status == 0


def test_a_study_whose_first_trials_all_fail_ends_as_failed_and_says_why(
    write: Write, hpo: Hpo
) -> None:
    write(job=FAILS)
    ended = hpo("run", "study.toml")
    assert ended.status == 1
    assert "small-1 failed: exit status 3" in ended.err
    assert "each of the first 5 trials failed, and max_failures_at_start is 5" in ended.err
    last = ended.err.splitlines()[-1]
    assert re.fullmatch(
        r"5 of \d trials failed, the first one in job (\d\.1): exit status 3: oh no; "
        r"see: hpo log small \1",
        last,
    )


def test_a_failed_study_is_mended_by_its_file_as_the_message_says(write: Write, hpo: Hpo) -> None:
    write(job=FAILS)
    assert hpo("run", "study.toml").status == 1
    write(("seed = 7", "seed = 7\nmax_failures_at_start = 0"), job=FAILS)
    ended = hpo("run", "study.toml")
    assert "Study 'small' finished: all 6 jobs of its budget have run." in ended.out


def test_finished_study_without_a_completed_trial_is_a_failure(write: Write, hpo: Hpo) -> None:
    write(("jobs = 6", "jobs = 3"), job=FAILS)
    ended = hpo("run", "study.toml")
    assert ended.status == 1
    assert "error: no trial of 'small' is completed" in ended.err
    assert "No trial is completed; see: hpo jobs small" in ended.out
    assert "3 of 3 trials failed, the first one in job" in ended.out
    assert hpo("resume", "small").status == 1, "it is told again"


def test_some_failures_are_counted_at_the_end_with_the_first_reason(write: Write, hpo: Hpo) -> None:
    write(("workers = 2", "workers = 1"), job=f"[ $HPO_TRIAL_ID = 2 ] && exit 4; {REPORTS}")
    ended = hpo("run", "study.toml")
    assert ended.status == 0
    last = ended.out.splitlines()[-1]
    assert last.startswith("1 of 6 trials failed, in job 2.1: exit status 4")
    assert last.endswith("; see: hpo log small 2.1")
    summary = hpo("resume", "small", "--json").json()
    assert (summary["completed"], summary["failed"]) == (5, 1)
    assert summary["first_failure"]["job"] == "2.1"


def test_a_failed_study_exits_with_1_and_its_reason(write: Write, hpo: Hpo) -> None:
    write(("seed = 7", "seed = 7\nmax_failures = 1"), job=FAILS)
    ended = hpo("run", "study.toml")
    assert ended.status == 1
    assert "error: the study 'small' failed: 2 trials failed, and max_failures is 1" in ended.err


def test_a_failed_study_in_json_is_a_document_too(write: Write, hpo: Hpo) -> None:
    write(("seed = 7", "seed = 7\nmax_failures = 1"), job=FAILS)
    ended = hpo("run", "study.toml", "--json")
    assert ended.status == 1
    assert ended.json()["state"] == "failed"


def test_a_study_from_json_is_run_as_well(write: Write, hpo: Hpo, folder: Path) -> None:
    write()
    (folder / "study.json").write_text(
        '{"name": "j", "strategy": "random", "budget": {"jobs": 1},'
        ' "objective": {"metric": "loss", "direction": "minimize"},'
        ' "job": {"command": ["sh", "job.sh", "{x}"]},'
        ' "parameters": {"x": {"type": "int", "low": 1, "high": 3}}}'
    )
    assert hpo("run", "study.json", "--json").json()["state"] == "finished"


def test_what_inline_jobs_print_is_in_their_logs_and_never_in_the_json(
    write: Write, hpo: Hpo, folder: Path
) -> None:
    (folder / "chatty.py").write_text(
        "print('imported')\ndef fit(configuration):\n    print('said')\n    return 1.0\n"
    )
    write(('command = ["sh", "job.sh", "{x}"]', 'function = "chatty:fit"'), ("workers = 2\n", ""))
    ended = hpo("run", "study.toml", "--backend", "inline", "--json")
    assert ended.json()["state"] == "finished"
    assert hpo("log", "small", "1").out == "said\n"


# -- bad input ------------------------------------------------------------------------------


def test_every_fault_is_a_line_with_its_keys_path(write: Write, hpo: Hpo) -> None:
    write(
        ('"small"', '"../evil"'),
        ("workers = 2", "workers = 0"),
        ('"minimize"', '"min"'),
        ("jobs = 6", "job = 6"),
        ("low = 0.0", 'low = "a"'),
        ('"random"', '{ name = "grid", options = { pionts = 3 } }'),
    )
    ended = hpo("run", "study.toml")
    assert ended.status == 2
    assert ended.out == ""
    paths = [line.split(": ")[:2] for line in ended.err.splitlines()]
    assert sorted(paths) == [
        ["error", "budget.job"],
        ["error", "name"],
        ["error", "objective.direction"],
        ["error", "parameters.x.low"],
        ["error", "strategy.options.pionts"],
        ["error", "workers"],
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.toml", b'name = "a\n', "error: s.toml: is not TOML: .*line 1"),
        ("s.json", b'{"name": ', "error: s.json: is not JSON: .*line 1"),
        ("s.json", b"[1]", "error: s.json: must hold a table"),
        ("s.json", b"[" * 100_000, "error: s.json: is nested too deeply"),
        ("s.json", b'{"a":' * 200 + b"1" + b"}" * 200, "error: s.json: is nested too deeply"),
        ("s.toml", b"\xff\xfd", "error: s.toml: is not text in UTF-8"),
        ("s.toml", b"", "error: name: missing; name the study"),
    ],
)
def test_a_file_that_can_not_be_read_says_where_and_why(
    hpo: Hpo, folder: Path, name: str, content: bytes, message: str
) -> None:
    (folder / name).write_bytes(content)
    ended = hpo("run", name)
    assert ended.status == 2
    assert re.match(message, ended.err)


@pytest.mark.parametrize("command", ["run", "try"])
def test_a_file_that_is_not_there_is_named(hpo: Hpo, command: str) -> None:
    ended = hpo(command, "nothere.toml")
    assert ended == (2, "", "error: nothere.toml: cannot be read: No such file or directory\n")


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("strategy = 3", ["-o", "points=1"]),
        ('strategy = { name = "random", options = 3 }', ["-o", "points=1"]),
    ],
)
def test_an_option_does_not_hide_a_fault_of_the_file(
    write: Write, hpo: Hpo, line: str, option: list[str]
) -> None:
    write(('strategy = "random"', line))
    ended = hpo("run", "study.toml", *option)
    assert ended.status == 2
    assert ended.err.startswith("error: strategy")


def test_invalid_budget_is_a_fault_also_with_an_option(write: Write, hpo: Hpo) -> None:
    write(("[budget]\njobs = 6\n", ""), ("seed = 7", "seed = 7\nbudget = 5"))
    ended = hpo("run", "study.toml", "--jobs", "3")
    assert ended.err == "error: budget: expected a table, got 5\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "rando"], "did you mean 'random'?"),
        (["--strategy", "random:fast"], "no variant 'fast'"),
        (["--strategy", "local"], "provides no strategy"),
        (["--backend", "locl"], "did you mean 'local'?"),
        (["-o", "points"], "expected KEY=VALUE, such as -o points=5"),
        (["-o", "points=3"], "strategy.options.points: unknown key; this takes no keys"),
        (["--name", "../x"], "'../x' is not a valid name"),
        (["--name", "a\x1b[31m"], r"'a\x1b[31m' is not a valid name"),
        (["--name", "\udcff"], "is not text in UTF-8"),
        (["--jobs", "0"], "budget.jobs: must be above 0"),
        (["--jobs", "ten"], "'ten' is not a valid integer"),
        (["--workrs", "3"], "Did you mean '--workers'?"),
        (["--store", "."], "the store ."),
        (["--store", "no/folder/x.db"], "there is no folder"),
        (["--store", "study.toml"], "file is not a database"),
    ],
)
def test_a_wrong_argument_is_a_sentence_and_status_2(
    write: Write, hpo: Hpo, arguments: list[str], said: str
) -> None:
    write()
    ended = hpo("run", "study.toml", *arguments)
    assert ended.status == 2
    assert said in ended.err
    assert "\x1b" not in ended.err


# -- resume, extend -------------------------------------------------------------------------


def test_resume_needs_nothing_but_the_store(small: Hpo, folder: Path) -> None:
    (folder / "study.toml").unlink()
    assert "' finished: " in small("resume", "small").out


@pytest.mark.parametrize(("amount", "jobs"), [("8", 8), ("+2", 8), ("+1", 7)])
def test_extend_takes_a_new_total_or_what_to_add(small: Hpo, amount: str, jobs: int) -> None:
    assert small("extend", "small", "--jobs", amount, "--quiet").status == 0
    assert len(small("jobs", "small", "--json").json()) == jobs


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a limit, such as --jobs 60, or --jobs +20 to add"),
        (["--jobs", "3"], "--jobs: 3 is not more than the budget of 6; give a larger total"),
        (["--jobs", "6"], "--jobs: 6 is not more"),
        (["--jobs", "+0"], "--jobs: 6 is not more"),
        (["--jobs=-3"], "--jobs: -3 is not more"),
        (["--jobs", "many"], "--jobs: expected an integer, or + and that to add"),
        (["--trials", "9"], "--trials: the study has no such limit, so there is nothing to extend"),
        (["--wall-time", "soon"], "--wall-time: expected a duration such as 2h"),
    ],
)
def test_a_budget_that_is_not_larger_is_an_error(
    small: Hpo, arguments: list[str], said: str
) -> None:
    ended = small("extend", "small", *arguments)
    assert ended.status == 2
    assert f"error: {said}" in ended.err
    assert len(small("jobs", "small", "--json").json()) == 6


def test_extend_says_everything_that_is_wrong(small: Hpo) -> None:
    ended = small("extend", "small", "--jobs", "x", "--trials", "9")
    assert {line.split(": ")[1] for line in ended.err.splitlines()} == {"--trials", "--jobs"}


# -- try ------------------------------------------------------------------------------------


def test_try_says_that_all_is_well_and_stores_nothing(write: Write, hpo: Hpo, folder: Path) -> None:
    write()
    ended = hpo("try", "study.toml")
    assert ended.status == 0
    assert "configuration: x=0.5" in ended.out
    assert "it reported: loss = 0.5" in ended.out
    assert "the objective's metric 'loss' was reported" in ended.out
    assert {path.name for path in folder.iterdir()} == {"study.toml", "job.sh"}


def test_try_in_json_is_one_document(write: Write, hpo: Hpo) -> None:
    write()
    tried = hpo("try", "study.toml", "--json").json()
    assert (tried["state"], tried["objectives"]) == ("completed", {"loss": True})


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (FAILS, ["exit status 3", "it reported: nothing", "oh no"]),
        ("true", ["it reported: nothing", "the objective's metric 'loss' was NOT reported"]),
        (REPORTS_ANOTHER := 'echo "{\\"los\\": 1}" > /dev/fd/$HPO_REPORT_FD', ["los = 1", "NOT"]),
    ],
)
def test_try_with_a_bad_script_says_what_is_wrong(
    write: Write, hpo: Hpo, job: str, said: list[str]
) -> None:
    write(job=job)
    ended = hpo("try", "study.toml")
    assert ended.status == 1
    for words in said:
        assert words in ended.out


@pytest.mark.parametrize("limit", ["max_failures_at_start = 1", 'on_failure = "stop"'])
def test_try_shows_a_failed_job_whatever_ends_a_study(write: Write, hpo: Hpo, limit: str) -> None:
    write(("seed = 7", f"seed = 7\n{limit}"), job=FAILS)
    ended = hpo("try", "study.toml")
    assert ended.status == 1
    assert "the end of its output:\noh no" in ended.out


def test_try_of_a_program_that_is_not_there_names_it(write: Write, hpo: Hpo) -> None:
    write(('"sh", ', '"no-such-program", '))
    ended = hpo("try", "study.toml")
    assert ended.status == 1
    assert "cannot start 'no-such-program'" in ended.out
