"""Jobs end: by themselves, when they are cancelled, and at a time limit."""

from __future__ import annotations

import time

from hpo_core.contracts.backend import Outcome, Reported, Work
from hpo_core.model.errors import BackendError
from hpo_core.testing import jobs
from hpo_core.testing.backend_checks.base import BackendChecks, Begin
from hpo_core.testing.driver import HANGS, is_end_of, runs


class Ending(BackendChecks):
    """Jobs end."""

    def test_a_job_that_fails_says_why_and_the_next_one_runs(self, start: Begin) -> None:
        driver = start(jobs.fails)
        for _ in range(2):
            job = driver.submit()
            end = driver.finished(job)
            assert end.outcome is Outcome.FAILED
            assert "the learning rate is too high" in end.reason
            assert driver.reports(job.id) == [(1, {"loss": 1.0})]

    def test_a_job_whose_process_dies_has_failed_and_the_next_one_runs(self, start: Begin) -> None:
        self.needs_processes("a job that dies ends the controller")
        driver = start(jobs.dies_if_told, workers=1)
        killed = driver.submit({"dies": True, "x": 1.0})
        end = driver.finished(killed)
        assert end.outcome is Outcome.FAILED
        assert end.reason
        assert driver.reports(killed.id) == [(1, {"loss": 1.0})]
        assert driver.run({"dies": False, "x": 1.0}).outcome is Outcome.COMPLETED

    def test_a_job_that_cannot_begin_is_an_end_with_a_reason(self, start: Begin) -> None:
        name = "there_is_no_such_thing"
        is_command = self.work == "command"
        work = Work(command=(f"./{name}",)) if is_command else Work(function=f"{name}:f")
        try:
            end = start(work).run()
        except BackendError as error:  # equally valid: the job is not started at all
            reason = str(error)
        else:
            assert end.outcome is Outcome.FAILED
            reason = end.reason
        assert name in reason

    def test_a_job_is_cancelled_at_its_next_report_or_by_a_signal(self, start: Begin) -> None:
        driver = start(self.cancellable, decides=True)
        driver.on_report = lambda report: driver.backend.cancel(report.job_id, grace=9 * HANGS)
        job = driver.submit()
        assert driver.finished(job).outcome is Outcome.CANCELLED
        assert len(driver.reports(job.id)) == 1

    def test_a_function_goes_on_after_a_report_only_as_far_as_decided(self, start: Begin) -> None:
        self.only("function", "a command's reports wait for no decision")
        driver = start(jobs.reports_for_ever, decides=True)

        def decide(report: Reported) -> None:
            if report.iteration == 3:
                driver.backend.cancel(report.job_id, grace=HANGS)

        driver.on_report = decide
        job = driver.submit()
        assert driver.finished(job).outcome is Outcome.CANCELLED
        assert [iteration for iteration, _ in driver.reports(job.id)] == [1, 2, 3]

    def test_a_job_that_does_not_listen_is_forced_after_the_grace(self, start: Begin) -> None:
        self.needs_processes("a job can't be forced to end")
        driver = start(jobs.ignores)
        job = driver.submit()
        pid = driver.reported(job).metrics["pid"]
        asked = time.monotonic()
        driver.backend.cancel(job.id, grace=0.3)
        assert driver.finished(job).outcome is Outcome.CANCELLED
        assert time.monotonic() >= asked + 0.3, "it was forced before its grace period was over"
        assert not runs(int(pid))

    def test_cancel_does_not_wait_for_the_grace(self, start: Begin) -> None:
        self.needs_processes("a job can't be forced to end")
        driver = start(jobs.ignores)
        job = driver.submit()
        pid = driver.reported(job).metrics["pid"]
        driver.backend.cancel(job.id, grace=HANGS)
        assert runs(int(pid)), "cancel() must return at once"

    def test_without_a_grace_a_job_is_forced_at_once(self, start: Begin) -> None:
        self.needs_processes("a job can't be forced to end")
        driver = start(jobs.ignores)
        job = driver.submit()
        driver.reported(job)
        driver.backend.cancel(job.id, grace=0)
        assert driver.finished(job).outcome is Outcome.CANCELLED

    def test_cancelling_one_job_leaves_the_others_alone(self, start: Begin) -> None:
        self.needs_processes("one job runs at a time")
        driver = start(jobs.waits)
        one, other = driver.submit(), driver.submit()
        pid = driver.reported(other).metrics["pid"]
        driver.reported(one)
        driver.backend.cancel(one.id, grace=0)
        driver.finished(one)
        assert driver.step(timeout=0.3) == 0
        assert not any(map(is_end_of(other.id), driver.said))
        assert runs(int(pid))

    def test_cancelling_what_has_ended_does_nothing(self, start: Begin) -> None:
        driver = start(jobs.quick)
        job = driver.submit({"x": 1.0})
        driver.finished(job)
        driver.backend.cancel(job.id, grace=0)
        assert driver.step(timeout=0.05) == 0
        assert driver.run({"x": 1.0}).outcome is Outcome.COMPLETED

    def test_a_time_limit_ends_a_job_as_the_controller_sets_it(self, start: Begin) -> None:
        driver = start(self.cancellable, decides=True)
        deadline = time.monotonic() + 0.3

        def decide(report: Reported) -> None:
            if time.monotonic() >= deadline:
                driver.backend.cancel(report.job_id, grace=HANGS)

        driver.on_report = decide
        job = driver.submit()
        while (left := deadline - time.monotonic()) > 0:
            driver.step(timeout=left)
        driver.backend.cancel(job.id, grace=HANGS)
        assert driver.finished(job).outcome is Outcome.CANCELLED
