"""A worker that is a child of this process, for engines that call functions."""

from __future__ import annotations

import os

from hpo_core.plugin import RunningWorker


def descriptors() -> set[str]:
    return set(os.listdir("/dev/fd"))


def test_a_worker_that_has_ended_leaves_no_descriptor_and_says_why_again() -> None:
    before = descriptors()
    running = RunningWorker('{"name": "worker-1"}')  # no order: it ends with a status
    why = running.wait()
    assert descriptors() <= before
    assert why == running.wait() == "its agent ended with exit status 1; see its log"
    running.end()
