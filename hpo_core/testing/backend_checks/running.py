"""Jobs start and report: reports arrive complete, in order, and for the right job."""

from __future__ import annotations

import math

import pytest

from hpo_core.contracts.backend import Finished, Outcome, Started, Work
from hpo_core.testing import jobs
from hpo_core.testing.backend_checks.base import BackendChecks, Begin

_ECHO = r"""printf '{{"x": %s}}\n' "$1" > "/dev/fd/$HPO_REPORT_FD" """
_UNICODE = {"word": "größer 損失 🚀 \u2028 'quoted' \"twice\" \\ \t", "many": "é" * 5_000}


class Running(BackendChecks):
    """Jobs start and report."""

    def test_a_job_starts_reports_in_order_and_finishes_once(self, start: Begin) -> None:
        driver = start(jobs.measures)
        job = driver.submit({"times": 200})
        end = driver.finished(job)
        assert (end.outcome, end.reason) == (Outcome.COMPLETED, "")
        assert driver.reports(job.id) == [(n, {"loss": 1.0 / n}) for n in range(1, 201)]
        kinds = [type(event).__name__ for event in driver.said]
        assert kinds == ["Started", *["Reported"] * 200, "Finished"]

    def test_what_a_function_returns_comes_with_its_end(self, start: Begin) -> None:
        self.only("function", "a command returns nothing")
        end = start(jobs.returns).run()
        assert end.metrics == {"loss": 0.5}

    def test_as_many_jobs_run_at_once_as_there_are_workers(self, start: Begin) -> None:
        self.needs_processes("one job runs at a time")
        driver = start(jobs.waits, workers=3)
        begun = [driver.reported(job) for job in [driver.submit() for _ in range(3)]]
        assert not any(isinstance(event, Finished) for event in driver.said)
        if self.numbers_workers:
            assert {report.metrics["worker"] for report in begun} == {0, 1, 2}

    def test_many_quick_jobs_each_report_their_own_and_end(self, start: Begin) -> None:
        if self.work == "command":
            driver = start(Work(command=("sh", "-c", _ECHO, "sh", "{x}")), workers=4)
        else:
            driver = start(jobs.quick, workers=4)
        begun = [driver.submit({"x": number + 0.5}) for number in range(4)]
        for number, job in enumerate(begun):
            end = driver.finished(job)
            assert end.outcome is Outcome.COMPLETED, end
            assert driver.reports(job.id) == [(None, {"x": number + 0.5})]
            if len(begun) < self.quick_jobs:
                begun.append(driver.submit({"x": len(begun) + 0.5}))

    def test_values_arrive_as_they_are_unicode_too_and_so_do_reports(self, start: Begin) -> None:
        values = {"int": 3, "float": 3.0, "tiny": 5e-324, "yes": True, "none": None, **_UNICODE}
        driver = start(jobs.hears)
        job = driver.submit(values)
        assert driver.finished(job).outcome is Outcome.COMPLETED
        assert driver.reports(job.id) == [(None, {jobs.as_heard(values): 1.0})]

    def test_large_reports_arrive_whole(self, start: Begin) -> None:
        driver = start(jobs.large)
        job = driver.submit({"length": 100_000, "count": 5_000})
        assert driver.finished(job).outcome is Outcome.COMPLETED
        (_, long), (_, many) = driver.reports(job.id)
        assert list(long) == ["n" * 100_000]
        assert many == {f"many/{number}": float(number) for number in range(5_000)}

    def test_values_that_are_not_finite_arrive_as_such(self, start: Begin) -> None:
        driver = start(jobs.not_finite)
        job = driver.submit()
        driver.finished(job)
        ((_, metrics),) = driver.reports(job.id)
        assert metrics.keys() == {"nan", "up", "down"}
        assert not any(map(math.isfinite, metrics.values()))

    def test_a_job_knows_its_trial_its_target_and_the_trial_s_folder(self, start: Begin) -> None:
        driver = start(jobs.knows)
        first = driver.submit(iterations=9)
        driver.finished(first)
        again = driver.submit(
            id=f"{first.trial_id}.2", trial_id=first.trial_id, checkpoint_dir=first.checkpoint_dir
        )
        driver.finished(again)
        told = [driver.reports(job.id)[0][1] for job in (first, again)]
        trial = float(first.trial_id)
        assert told[0] == {"trial": trial, "iterations": 9.0, "found_a_mark": 0.0}
        assert told[1] == {"trial": trial, "iterations": -1.0, "found_a_mark": 1.0}

    def test_a_job_has_the_study_s_variables(self, start: Begin) -> None:
        if not self.sets_variables:
            pytest.skip("not applicable: it sets no variables for jobs (sets_variables = False)")
        driver = start(jobs.variables, environment={"EXTRA": "größer"})
        job = driver.submit()
        driver.finished(job)
        assert driver.reports(job.id) == [(None, {"größer": 1.0})]

    def test_jobs_beyond_the_workers_wait_and_start_in_their_order(self, start: Begin) -> None:
        self.needs_a_queue()
        driver = start(jobs.quick, workers=1)
        begun = [driver.submit({"x": number + 0.5}) for number in range(4)]
        for job in begun:
            assert driver.finished(job).outcome is Outcome.COMPLETED
        ends = [event.job_id for event in driver.said if isinstance(event, Started | Finished)]
        assert ends == [job.id for job in begun for _ in ("Started", "Finished")]

    def test_a_job_that_is_cancelled_while_it_waits_does_not_start(self, start: Begin) -> None:
        self.needs_a_queue()
        driver = start(jobs.waits, workers=1)
        first, waiting = driver.submit(), driver.submit()
        driver.reported(first)
        driver.backend.cancel(waiting.id, grace=0)
        assert driver.finished(waiting).outcome is Outcome.CANCELLED
        driver.backend.cancel(first.id, grace=0)
        assert driver.finished(first).outcome is Outcome.CANCELLED
        assert [one.job_id for one in driver.said if isinstance(one, Started)] == [first.id]
