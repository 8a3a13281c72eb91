"""The backend `local` with Python functions: warm workers, each behaviour by its name."""

import contextlib
import math
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hpo_core.backends.supervisor.processes import has_ended
from hpo_core.plugin import Finished, Outcome, Reported, Started


def sample(name):
    return f"sample_functions:{name}"


def test_a_function_starts_reports_and_finishes_with_what_it_returned(start):
    driver = start("local", function=sample("several"))
    end = driver.run()
    assert [type(event) for event in driver.said] == [Started, Finished]
    assert (end.outcome, end.metrics) == (Outcome.COMPLETED, {"loss": 1.0, "accuracy": 0.5})


def test_a_function_may_report_and_return_nothing(start):
    driver = start("local", function=sample("nothing"))
    assert driver.run().metrics is None
    assert driver.reports() == [(1, {"loss": 0.25})]


def test_a_function_that_takes_the_job_gets_it_with_an_existing_checkpoint_folder(start):
    driver = start("local", function=sample("told"))
    end = driver.run({"x": 4}, trial_id=7, iterations=9)
    assert end.metrics == {"trial": 7, "iterations": 9, "x": 4}, end.reason


def test_a_function_object_is_found_again_by_its_name(start):
    driver = start("local", callable=textwrap.indent, metric=None)
    assert driver.run().reason.startswith("AttributeError")  # it was called with a configuration


def test_values_that_are_not_finite_arrive_as_they_are(start):
    driver = start("local", function=sample("not_finite"))
    end = driver.run()
    [(_, metrics)] = driver.reports()
    assert math.isnan(metrics["loss"])
    assert metrics["other"] == -math.inf
    assert end.metrics == {"loss": math.inf}


def test_a_worker_is_reused_from_job_to_job(start):
    driver = start("local", function=sample("process"))
    assert len({driver.run().metrics["loss"] for _ in range(20)}) == 1


def test_a_worker_has_the_study_s_variables(start):
    driver = start("local", function=sample("variables"), environment={"EXTRA": "5"})
    assert driver.run().metrics == {"study": int(driver.study_uid, 16) % 97, "extra": 5}


def test_each_job_s_output_goes_to_its_own_log(start):
    driver = start("local", function=sample("prints"))
    jobs = [driver.submit({"x": x}) for x in (1, 2, 3)]
    for x, job in enumerate(jobs, start=1):
        driver.finished(job)
        text = Path(job.log).read_text()
        assert sorted(text.splitlines()) == sorted(
            [f"grüße from {x}", "and an error", "a child's word"]
        )


def test_an_empty_log_is_removed(start):
    driver = start("local", function=sample("half"))
    for _ in range(2):  # the first job's log takes what its module prints on being imported
        job = driver.submit({"x": 1})
        driver.finished(job)
        assert not os.path.exists(job.log)


def test_an_exception_fails_the_job_with_a_sentence_and_a_traceback_and_the_worker_lives(start):
    driver = start("local", function=sample("fails"))
    ends = [driver.run() for _ in range(2)]
    assert {end.outcome for end in ends} == {Outcome.FAILED}
    assert ends[0].reason.splitlines()[0] == "ValueError: the learning rate is too high"
    assert "sample_functions.py" in ends[0].reason
    assert "hpo_core" not in ends[0].reason
    assert len({event.handle for event in driver.said if isinstance(event, Started)}) == 1


def test_sys_exit_fails_the_job_alone(start):
    driver = start("local", function=sample("exits"))
    assert driver.run().reason.startswith("SystemExit: no data")
    assert driver.run().reason.startswith("SystemExit: no data")


def test_a_result_that_is_no_number_fails_the_job(start):
    end = start("local", function=sample("of_no_use")).run()
    assert end.outcome is Outcome.FAILED
    assert end.reason.startswith("the function returned 'a text'; return a number")


def test_a_worker_killed_in_a_job_is_replaced_and_the_next_job_runs(start):
    driver = start("local", function=sample("sleeps"))
    job = driver.submit()
    driver.reported(job)
    os.kill(driver.started(job).handle, signal.SIGKILL)
    end = driver.finished(job)
    assert end.outcome is Outcome.FAILED
    assert end.reason.startswith("killed by SIGKILL, and not by hpo-core: the system does that")
    assert driver.run({"seconds": 0}).outcome is Outcome.COMPLETED


def test_a_worker_killed_between_jobs_is_replaced_unseen(start):
    driver = start("local", function=sample("process"))
    job = driver.submit()
    pid = driver.started(job).handle
    driver.finished(job)
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):  # it has been reaped already
        assert has_ended(pid, timeout=60)
    again = driver.run()
    assert again.outcome is Outcome.COMPLETED
    assert again.metrics["loss"] != pid


def test_a_function_that_ends_its_process_fails_its_job_with_the_exit_status(start):
    end = start("local", function=sample("leaves")).run()
    assert end.outcome is Outcome.FAILED
    assert end.reason == "the worker process ended in the job: exit status 3"


def test_a_function_that_forks_and_returns_twice_counts_once(start):
    driver = start("local", function=sample("forks"), workers=1)
    for x in (1.0, 2.0, 3.0):
        assert driver.run({"x": x}).metrics == {"loss": x}


def test_a_thread_that_a_job_has_left_can_not_report_into_the_next_job(start):
    driver = start("local", function=sample("leaves_a_thread"), workers=1)
    assert driver.run().outcome is Outcome.COMPLETED
    end = driver.run()
    assert "a thread that an earlier job of this worker has left can't report" in end.reason
    assert driver.reports() == []


def test_a_function_that_closes_its_worker_s_line_is_told_so(start):
    driver = start("local", function=sample("closes_its_line"))
    for _ in range(2):
        end = driver.run()
        assert end.outcome is Outcome.FAILED
        assert end.reason.startswith("the function closed its worker's connection to hpo-core")


@pytest.mark.parametrize("text", ["\xff\x00\n", '["finished", "no such outcome"]\n', "[1]\n"])
def test_a_function_that_writes_to_its_worker_s_line_fails_and_harms_no_other(start, text):
    driver = start("local", function=sample("writes_to_its_line"))
    end = driver.run({"text": text})
    assert end.outcome is Outcome.FAILED
    assert "a job must not write to its worker's connection itself" in end.reason


def test_an_error_of_ten_million_characters_is_cut(start):
    end = start("local", function=sample("raises_what_it_is_told")).run(
        {"text": "much ", "times": 2_000_000}
    )
    assert end.outcome is Outcome.FAILED
    assert end.reason.startswith("ValueError: much much")
    assert "characters left out" in end.reason
    assert len(end.reason) < 10_000


def test_an_error_about_a_file_whose_name_is_no_text_is_told(start):
    end = start("local", function=sample("raises_what_it_is_told")).run(
        {"text": "data\xff.csv", "times": 1}
    )
    assert end.reason.startswith("ValueError: data\\udcff.csv")


def test_more_metrics_than_a_line_holds_fail_the_job_and_the_worker_lives(start):
    driver = start("local", function=sample("returns_many_metrics"))
    for _ in range(2):
        end = driver.run()
        assert end.outcome is Outcome.FAILED
        assert "a report may have at most 1,048,576 bytes, and this one has" in end.reason
    assert len({event.handle for event in driver.said if isinstance(event, Started)}) == 1


@pytest.mark.parametrize("backend", ["local", "inline"])
def test_a_result_whose_value_can_not_be_had_fails_the_job(start, backend):
    end = start(backend, function=sample("returns_what_has_no_value")).run()
    assert (end.outcome, end.reason) == (Outcome.FAILED, "a tensor with 2 elements has no value")


@pytest.mark.parametrize("decides", [True, False])
def test_a_cancelled_function_ends_at_its_next_report_and_cleans_up(start, tmp_path, decides):
    driver = start("local", function=sample("counts"), decides=decides)
    job = driver.submit({"proof": str(tmp_path / "proof")})
    driver.reported(job)
    driver.backend.cancel(job.id, grace=600)
    assert driver.finished(job).outcome is Outcome.CANCELLED
    assert (tmp_path / "proof").exists()
    assert not (tmp_path / "proof.swallowed").exists()
    worker = driver.started(job).handle
    again = driver.submit({"proof": str(tmp_path / "proof"), "limit": 3})
    assert driver.finished(again).outcome is Outcome.COMPLETED
    assert driver.started(again).handle == worker
    assert len(driver.reports(again.id)) == 3


def test_with_a_deciding_strategy_a_job_stops_at_the_very_report_that_decided_it(start, tmp_path):
    driver = start("local", function=sample("counts"), decides=True)
    job = driver.submit({"proof": str(tmp_path / "proof")})
    while len(driver.reports()) < 5:
        assert len([e for e in driver.step() if isinstance(e, Reported)]) <= 1
    driver.backend.cancel(job.id, grace=600)
    assert driver.finished(job).outcome is Outcome.CANCELLED
    assert len(driver.reports()) == 5


def test_a_job_whose_report_was_not_answered_by_cancel_goes_on_at_the_next_call(start, tmp_path):
    driver = start("local", function=sample("counts"), decides=True)
    end = driver.run({"proof": str(tmp_path / "proof"), "limit": 50})
    assert end.outcome is Outcome.COMPLETED
    assert [iteration for iteration, _ in driver.reports()] == list(range(50))


@pytest.mark.parametrize("decides", [True, False])
def test_a_function_that_will_not_stop_is_killed_after_its_grace(start, decides):
    driver = start("local", function=sample("stubborn"), decides=decides)
    job = driver.submit()
    driver.reported(job)
    driver.backend.cancel(job.id, grace=0.2)
    assert driver.finished(job).outcome is Outcome.CANCELLED
    other = driver.submit()
    assert driver.started(other).handle != driver.started(job).handle


def test_without_grace_a_function_is_killed_at_once(start):
    driver = start("local", function=sample("sleeps"))
    job = driver.submit()
    driver.reported(job)
    driver.backend.cancel(job.id, grace=0)
    assert driver.finished(job).outcome is Outcome.CANCELLED


def test_a_job_that_is_cancelled_before_its_worker_is_ready_never_starts(start, tmp_path):
    driver = start("local", function=sample("process"))
    jobs = [driver.submit() for _ in range(2)]
    driver.backend.cancel(jobs[0].id, grace=600)
    assert driver.finished(jobs[0]).outcome is Outcome.CANCELLED
    assert driver.finished(jobs[1]).outcome is Outcome.COMPLETED
    started = [event.job_id for event in driver.said if isinstance(event, Started)]
    assert started == [jobs[1].id]


def test_a_cancel_that_comes_too_late_does_not_stop_the_next_job(start, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    driver = start("local", function=sample("reads"))
    job = driver.submit({"pipe": str(tmp_path / "pipe")})
    driver.started(job)
    driver.backend.cancel(job.id, grace=600)  # it will not report again
    (tmp_path / "pipe").write_text("")
    assert driver.finished(job).outcome is Outcome.CANCELLED
    os.mkfifo(tmp_path / "another")
    again = driver.submit({"pipe": str(tmp_path / "another")})
    (tmp_path / "another").write_text("")
    assert driver.finished(again).outcome is Outcome.COMPLETED


def test_the_function_s_module_is_loaded_once_for_all_workers(start, tmp_path):
    (tmp_path / "slow_to_load.py").write_text(
        "import os\n"
        "with open('loaded', 'a') as file: file.write('x')\n"
        "def loaded(configuration): return os.path.getsize('loaded')\n"
    )
    driver = start("local", function="slow_to_load:loaded", directory=str(tmp_path))
    jobs = [driver.submit() for _ in range(4)]
    assert [driver.finished(job).metrics["loss"] for job in jobs] == [1] * 4


def test_a_worker_that_dies_while_it_starts_does_not_hold_up_the_others(start, tmp_path):
    (tmp_path / "dies_once.py").write_text(
        "import os\n"
        "try: os.mkdir('first')\n"
        "except FileExistsError: pass\n"
        "else: os._exit(7)\n"
        "def fit(configuration): return 1.0\n"
    )
    driver = start("local", function="dies_once:fit", directory=str(tmp_path))
    ends = [driver.finished(job) for job in [driver.submit() for _ in range(3)]]
    assert sorted(end.outcome.value for end in ends) == ["completed", "completed", "failed"]
    [failed] = [end for end in ends if end.outcome is Outcome.FAILED]
    assert failed.reason == "the worker process ended as it loaded the function: exit status 7"


def test_a_module_that_fails_to_import_fails_each_job_at_once_in_one_worker(start, tmp_path):
    (tmp_path / "broken_module.py").write_text("import of_no_such_module\ndef fit(c): return 1.0\n")
    driver = start("local", function="broken_module:fit", directory=str(tmp_path))
    ends = [driver.run() for _ in range(5)]
    assert {end.outcome for end in ends} == {Outcome.FAILED}
    assert ends[0].reason.startswith(
        "cannot load 'broken_module:fit': ModuleNotFoundError: No module named 'of_no_such_module'"
    )
    assert "broken_module.py" in ends[0].reason
    assert len({event.handle for event in driver.said if isinstance(event, Started)}) == 1


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("sample_functions:hlaf", "'sample_functions' has no function 'hlaf'"),
        ("no_such_module:fit", "no module named 'no_such_module'"),
        ("sample_functions:os", "is not a function"),
    ],
)
def test_a_function_that_cannot_be_found_fails_the_job_and_says_so(start, function, why):
    assert why in start("local", function=function).run().reason


def test_a_function_in_a_package_is_found(start, tmp_path):
    (tmp_path / "a_package" / "inner").mkdir(parents=True)
    (tmp_path / "a_package" / "inner" / "__init__.py").write_text("from . import m\n")
    (tmp_path / "a_package" / "inner" / "m.py").write_text(
        "class Model:\n    @staticmethod\n    def fit(c): return 2.0\n"
    )
    driver = start("local", function="a_package.inner.m:Model.fit", directory=str(tmp_path))
    assert driver.run().metrics == {"loss": 2.0}


def test_close_ends_the_children_that_a_function_has_left(start, ends):
    driver = start("local", function=sample("leaves_a_child"))
    child = int(driver.run().metrics["loss"])
    os.kill(child, 0)
    driver.backend.close()
    assert ends(child)


SCRIPT = """
import sys
from hpo_core import client
from hpo_core.contracts.backend import *
from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.job import Job
from hpo_core.model.values import Configuration

def train(configuration):
    return {{"x": configuration["x"] + int(sys.argv[1]), "guarded": float(__name__ != "__main__")}}

def optimize():
    client.end_loading()
    from hpo_core.backends import local
    class Clock:
        now = staticmethod(lambda: 0.0)
    backend = local.build(BackendContext(study="s", study_uid="{uid}", workers=1, clock=Clock(),
        work=Work(callable=train), decides=False, deliver=lambda event: None), NoOptions())
    backend.submit(Job(id="0.1", trial_id=0, name="", configuration=Configuration(x=1)))
    while not isinstance((event := backend.events(None)[-1]), Finished):
        pass
    print(event.outcome.value, event.reason, dict(event.metrics or {{}}))
    backend.close()

{call}
"""


@pytest.mark.parametrize("call", ["optimize()", "if __name__ == '__main__': optimize()"])
@pytest.mark.parametrize("as_module", [True, False])
def test_a_script_runs_its_own_function_with_and_without_a_main_guard(tmp_path, call, as_module):
    (tmp_path / "search.py").write_text(SCRIPT.format(uid=tmp_path.name, call=call))
    program = ["-m", "search"] if as_module else ["search.py"]
    done = subprocess.run(
        [sys.executable, *program, "41"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "completed  {'x': 42.0, 'guarded': 1.0}\n"
    assert done.stderr == ""


def test_a_function_from_standard_input_is_sent(tmp_path):
    text = SCRIPT.format(uid=tmp_path.name, call="optimize()")
    done = subprocess.run(
        [sys.executable, "-", "41"],
        input=text,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "completed  {'x': 42.0, 'guarded': 0.0}\n"
    assert done.stderr == ""


def test_a_worker_imports_little(start):
    code = (
        "import sys; before = set(sys.modules); import hpo_core.backends.supervisor.worker;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded <= set(sys.stdlib_module_names) | {"hpo_core"}
