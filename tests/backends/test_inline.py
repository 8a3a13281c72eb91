"""The backend `inline`."""

import math
import sys
import threading
from pathlib import Path

import pytest

import hpo_core
from hpo_core import JobStopped
from hpo_core.errors import BackendError
from hpo_core.plugin import Finished, Outcome, Reported, Started


def test_a_job_starts_reports_and_finishes_with_what_the_function_returned(start):
    def train(configuration):
        hpo_core.report(1, loss=configuration["x"])
        return 0.5

    driver = start("inline", callable=train)
    end = driver.run({"x": 2.0})
    assert [type(event) for event in driver.said] == [Started, Reported, Finished]
    assert driver.reports() == [(1, {"loss": 2.0})]
    assert (end.outcome, end.metrics, end.reason) == (Outcome.COMPLETED, {"loss": 0.5}, "")


def test_a_function_may_be_named_and_is_looked_for_in_the_study_s_folder(start):
    driver = start("inline", function="sample_functions:half")
    assert driver.run({"x": 3.0}).metrics == {"loss": 1.5}


def test_a_function_that_takes_the_job_gets_it_with_an_existing_checkpoint_folder(start):
    driver = start("inline", function="sample_functions:told")
    end = driver.run({"x": 4}, trial_id=7, iterations=9)
    assert end.metrics == {"trial": 7, "iterations": 9, "x": 4}


def test_second_parameter_with_its_own_default_is_not_changed(start):
    assert start("inline", function="sample_functions:with_default").run().metrics == {"loss": 3}


def test_no_checkpoint_folder_is_made_for_a_function_that_does_not_ask_for_it(start, tmp_path):
    start("inline", function="sample_functions:half").run({"x": 1})
    assert not (tmp_path / "checkpoints").exists()


def test_each_call_of_events_runs_one_job_in_the_order_of_submission(start):
    driver = start("inline", function="sample_functions:half")
    jobs = [driver.submit({"x": x}) for x in (1, 2, 3)]
    ends = [driver.backend.events(None) for _ in jobs]
    assert [[event.job_id for event in end] for end in ends] == [[job.id] for job in jobs]


def test_a_report_that_is_answered_by_cancel_stops_the_function_there(start):
    cleaned = []

    def train(configuration):
        try:
            for iteration in range(100):
                hpo_core.report(iteration, loss=1.0)
        except Exception:  # noqa: BLE001  # as careless training loops do
            cleaned.append("swallowed")
        finally:
            cleaned.append("cleaned")

    driver = start("inline", callable=train, decides=True)
    job = driver.submit()

    def decide(event):
        if isinstance(event, Reported) and event.iteration == 3:
            driver.backend.cancel(job.id, grace=5)

    driver.on_delivery = decide
    assert driver.finished(job).outcome is Outcome.CANCELLED
    assert len(driver.reports()) == 4
    assert cleaned == ["cleaned"]


def test_a_job_that_is_cancelled_while_it_waits_is_never_run(start):
    ran = []
    driver = start("inline", callable=lambda configuration: ran.append(1))
    job = driver.submit()
    driver.backend.cancel(job.id, grace=0)
    assert driver.finished(job).outcome is Outcome.CANCELLED
    assert not ran
    assert driver.backend.events(0) == ()


def test_a_job_that_is_cancelled_as_it_starts_is_never_run(start):
    ran = []
    driver = start("inline", callable=lambda configuration: ran.append(1))
    driver.on_delivery = lambda event: driver.backend.cancel(event.job_id, grace=0)
    assert driver.run().outcome is Outcome.CANCELLED
    assert not ran


def test_a_job_may_be_submitted_from_within_a_report(start):
    driver = start("inline", function="sample_functions:nothing")
    more = []

    def submit(event):
        if isinstance(event, Reported) and not more:
            more.append(driver.submit())

    driver.on_delivery = submit
    driver.run()
    assert driver.finished(more[0]).outcome is Outcome.COMPLETED


def test_an_exception_fails_the_job_with_a_sentence_and_a_traceback(start):
    end = start("inline", function="sample_functions:fails").run()
    assert end.outcome is Outcome.FAILED
    assert end.reason.splitlines()[0] == "ValueError: the learning rate is too high"
    assert "sample_functions.py" in end.reason
    assert "backends/inline.py" not in end.reason


def test_sys_exit_in_a_function_fails_the_job_and_not_the_study(start):
    end = start("inline", function="sample_functions:exits").run()
    assert end.outcome is Outcome.FAILED
    assert end.reason.startswith("SystemExit: no data")


def test_non_numeric_result_fails_the_job(start):
    end = start("inline", function="sample_functions:of_no_use").run()
    assert end.outcome is Outcome.FAILED
    assert end.reason == (
        "the function returned 'a text'; return a number, a mapping of metrics, or nothing"
    )


def test_job_stopped_without_a_request_is_a_failure(start):
    def train(configuration):
        raise JobStopped("of my own accord")

    end = start("inline", callable=train).run()
    assert end.outcome is Outcome.FAILED
    assert "of my own accord" in end.reason


def test_values_that_are_not_finite_arrive_as_they_are(start):
    driver = start("inline", function="sample_functions:not_finite")
    end = driver.run()
    [(_, metrics)] = driver.reports()
    assert math.isnan(metrics["loss"])
    assert metrics["other"] == -math.inf
    assert end.metrics == {"loss": math.inf}


def test_ctrl_c_in_a_function_leaves_events_and_the_next_job_runs(start):
    def train(configuration):
        if configuration["interrupt"]:
            raise KeyboardInterrupt
        return 1.0

    driver = start("inline", callable=train)
    driver.submit({"interrupt": True})
    with pytest.raises(KeyboardInterrupt):
        driver.backend.events(None)
    assert driver.run({"interrupt": False}).outcome is Outcome.COMPLETED


def test_an_error_of_the_controller_s_own_leaves_events_and_is_not_the_function_s(start):
    def train(configuration):
        try:
            hpo_core.report(loss=1.0)
        except Exception:  # noqa: BLE001  # as careless training loops do
            return 0.0  # swallows whatever is an Exception

    def broken(event):
        if isinstance(event, Reported):
            raise RuntimeError("the strategy is broken")

    driver = start("inline", callable=train)
    driver.on_delivery = broken
    driver.submit()
    with pytest.raises(RuntimeError, match="the strategy is broken"):
        driver.backend.events(None)


def test_with_nothing_to_do_events_waits_until_another_thread_wakes_it(start):
    driver = start("inline", function="sample_functions:half")
    threading.Timer(0.05, driver.backend.wake).start()
    assert driver.backend.events(None) == ()


def test_with_nothing_to_do_events_returns_after_the_timeout(start):
    assert start("inline", function="sample_functions:half").backend.events(0.01) == ()


def test_a_command_is_refused_with_the_remedy(start):
    with pytest.raises(BackendError, match="choose backend 'local'"):
        start("inline", command=("true",))


def test_variables_for_jobs_are_refused_with_the_remedy(start):
    with pytest.raises(BackendError, match=r"sets no variables for them \(EXTRA\)"):
        start("inline", function="sample_functions:half", environment={"EXTRA": "1"})


def test_a_function_that_does_not_exist_is_refused(start):
    with pytest.raises(BackendError, match="'sample_functions' has no function 'hlaf'"):
        start("inline", function="sample_functions:hlaf")


def test_a_module_that_starts_a_study_at_its_top_level_is_loaded_up_to_there(start, tmp_path):
    text = (
        "from hpo_core import client\ndef fit(c): return 1.0\nclient.end_loading()\nraise OSError\n"
    )
    (tmp_path / "unguarded_inline.py").write_text(text)
    driver = start("inline", function="unguarded_inline:fit", directory=str(tmp_path))
    assert driver.run().metrics == {"loss": 1.0}


def test_what_a_function_prints_goes_to_its_log_and_nowhere_else(start, capsys):
    def talks(configuration):
        print("out", configuration["x"])
        print("err", file=sys.stderr)
        hpo_core.report(1, loss=1.0)
        sys.stdout.write("after\n")

    driver = start("inline", callable=talks)
    job = driver.submit({"x": 5})
    driver.finished(job)
    assert Path(job.log).read_text() == "out 5\nerr\nafter\n"
    assert capsys.readouterr() == ("", "")


def test_a_function_that_prints_nothing_has_no_log(start):
    driver = start("inline", function="sample_functions:half")
    job = driver.submit({"x": 5})
    driver.finished(job)
    assert not Path(job.log).exists()


def test_observers_and_other_threads_print_to_the_usual_streams(start, capsys):
    def elsewhere():
        print("from another thread")

    def talks(configuration):
        hpo_core.report(1, loss=1.0)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        print("from the job")

    driver = start("inline", callable=talks)
    driver.on_delivery = lambda event: print("heard", type(event).__name__)
    job = driver.submit({"x": 5})
    driver.finished(job)
    assert Path(job.log).read_text() == "from the job\n"
    assert capsys.readouterr().out == "heard Started\nheard Reported\nfrom another thread\n"
