"""`events` waits for the given time, and nothing polls."""

from __future__ import annotations

import resource
import threading
import time

from hpo_core.testing import jobs
from hpo_core.testing.backend_checks.base import BackendChecks, Begin
from hpo_core.testing.driver import HANGS


class Waiting(BackendChecks):
    """`events` waits, and nothing polls."""

    def test_events_returns_nothing_once_the_timeout_has_passed(self, start: Begin) -> None:
        driver = start(jobs.quick)
        for timeout in (0.0, 0.2):
            guard = threading.Timer(HANGS, driver.backend.wake)
            guard.start()
            began = time.monotonic()
            assert list(driver.backend.events(timeout)) == []
            assert guard.is_alive(), "the timeout did not end the wait"
            guard.cancel()
            assert time.monotonic() >= began + timeout * 0.95

    def test_wake_from_another_thread_makes_events_return(self, start: Begin) -> None:
        driver = start(jobs.quick)
        for delay in (0.0, 0.1):  # usually before `events` is called; also within it
            timer = threading.Timer(delay, driver.backend.wake)
            began = time.monotonic()
            timer.start()
            assert list(driver.backend.events(HANGS)) == []
            assert time.monotonic() - began < HANGS / 2, "wake() did not end the wait"
            timer.join()

    def test_waiting_is_no_polling(self, start: Begin) -> None:
        driver = start(jobs.waits)
        if not self.in_process:
            driver.reported(driver.submit())
        driver.step(timeout=0.05)
        before, cpu = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
        assert driver.step(timeout=0.5) == 0
        wakes = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before.ru_nvcsw
        assert wakes <= self.idle_wakes, f"it woke up {wakes} times in half a second of nothing"
        assert time.process_time() - cpu < 0.1
