"""Jobs run elsewhere: workers are lost, networks are slow and break, machines have resources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo_core.contracts.backend import Outcome, Reported
from hpo_core.testing import jobs
from hpo_core.testing.backend_checks.base import BackendChecks, Begin
from hpo_core.testing.driver import HANGS, Driver, runs
from hpo_core.testing.relay import Relay


class Distance(BackendChecks):
    """Jobs run elsewhere."""

    @pytest.fixture
    def relay(self) -> Iterator[Relay]:
        """Return a relay that jobs reach in place of the controller."""
        relay = Relay()
        yield relay
        relay.close()

    def far(self, folder: Path, function: str, relay: Relay, *, decides: bool = False) -> Driver:
        """Make a backend whose jobs reach it through a relay, with its driver."""

        def build(context):  # type: ignore[no-untyped-def]  # as make_backend
            backend = self.make_distant_backend(context, relay.reach)
            if backend is None:
                pytest.skip("not applicable: no network to its jobs (make_distant_backend)")
            relay.port = backend.port
            return backend

        return self.drive(folder, function, make=build, decides=decides)

    def test_a_job_whose_worker_is_lost_is_lost_and_the_next_one_runs(self, start: Begin) -> None:
        self.needs_processes("a job is lost only with the controller")
        driver = start(jobs.waits)
        job = driver.submit()
        pid = int(driver.reported(job).metrics["pid"])
        if self.lose_worker(driver.handles[job.id]) is NotImplemented:
            pytest.skip("not applicable: no worker of it can be lost (lose_worker)")
        end = driver.finished(job)
        assert end.outcome is Outcome.LOST
        assert end.reason
        driver.until_true(lambda: not runs(pid), "the lost job still runs")
        driver.reported(driver.submit())

    def test_nothing_comes_after_the_end_of_a_job_that_reports_for_ever(self, start: Begin) -> None:
        self.needs_processes("a job whose reports wait for no decision can't be ended")
        driver = start(jobs.reports_for_ever)
        job = driver.submit()
        driver.reported(job)
        driver.backend.cancel(job.id, grace=0)
        assert driver.finished(job).outcome is Outcome.CANCELLED
        driver.step(timeout=0.3)  # the driver rejects late events
        driver.reported(driver.submit())

    def test_over_a_slow_network_reports_arrive_whole_and_in_order(
        self, tmp_path: Path, relay: Relay
    ) -> None:
        relay.delay = 0.02
        driver = self.far(tmp_path, "measures", relay)
        job = driver.submit({"times": 100})
        assert driver.finished(job).outcome is Outcome.COMPLETED
        assert driver.reports(job.id) == [(n, {"loss": 1.0 / n}) for n in range(1, 101)]
        driver.close()

    def test_a_connection_that_breaks_loses_and_repeats_nothing(
        self, tmp_path: Path, relay: Relay
    ) -> None:
        driver = self.far(tmp_path, "measures", relay)

        def cut(report: Reported) -> None:
            if report.iteration in (3, 50):
                relay.cut()

        driver.on_report = cut
        job = driver.submit({"times": 100})
        assert driver.finished(job).outcome is Outcome.COMPLETED
        assert driver.reports(job.id) == [(n, {"loss": 1.0 / n}) for n in range(1, 101)]
        driver.close()

    def test_a_decision_reaches_a_function_over_a_connection_that_breaks(
        self, tmp_path: Path, relay: Relay
    ) -> None:
        self.only("function", "a command's reports wait for no decision")
        driver = self.far(tmp_path, "reports_for_ever", relay, decides=True)

        def decide(report: Reported) -> None:
            if report.iteration == 3:
                relay.cut()
                driver.backend.cancel(report.job_id, grace=HANGS)

        driver.on_report = decide
        job = driver.submit()
        assert driver.finished(job).outcome is Outcome.CANCELLED
        assert [iteration for iteration, _ in driver.reports(job.id)] == [1, 2, 3]
        driver.close()

    def test_jobs_get_the_gpus_that_the_study_asks_for_each_its_own(self, start: Begin) -> None:
        resources = self.resources
        if resources is None or resources.gpus is None:
            pytest.skip("not applicable: it provides no GPUs here (resources)")
        driver = start(jobs.sees_gpus, resources=resources)
        seen = []
        for job in [driver.submit(), driver.submit()]:
            seen += [int(name) for name in driver.reported(job).metrics]
        assert len(seen) == len(set(seen)) == 2 * max(int(resources.gpus), 1), seen
