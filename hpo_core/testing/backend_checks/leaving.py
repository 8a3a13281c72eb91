"""Nothing is left behind, neither after `close` nor after a controller was killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from hpo_core.backends.local.orphans import find
from hpo_core.testing import doomed, jobs
from hpo_core.testing.backend_checks.base import BackendChecks, Begin
from hpo_core.testing.driver import is_end_of, runs

_DOOMED = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from hpo_core.testing.doomed import main
main(*sys.argv[2:])
"""


class Leaving(BackendChecks):
    """Nothing is left behind."""

    def test_after_close_no_process_is_left_a_job_s_children_neither(self, start: Begin) -> None:
        self.needs_processes("a job that waits can't be ended")
        driver = start(jobs.has_a_child)
        child = int(driver.reported(driver.submit()).metrics["pid"])
        assert runs(child)
        driver.close()
        assert find(driver.study_uid) == []
        assert not runs(child)

    def test_after_close_no_descriptor_is_left_open(self, tmp_path: Path) -> None:
        def use() -> None:
            for function in ("quick", "fails"):
                driver = self.drive(tmp_path, function)
                for _ in range(4):
                    driver.run({"x": 1.0})
                driver.close()

        use()  # descriptors that are opened once and kept are open now
        before = os.listdir("/dev/fd")
        use()
        assert len(os.listdir("/dev/fd")) <= len(before)

    def test_after_the_controller_was_killed_jobs_are_adopted_or_gone(
        self, start: Begin, tmp_path: Path
    ) -> None:
        uid = f"doomed{os.getpid()}x{time.time_ns()}"
        pids, handles = self._kill_a_controller(uid, tmp_path)
        driver = start(jobs.waits, study_uid=uid)
        begun = [driver.job() for _ in range(doomed.JOBS)]
        begun = [
            msgspec.structs.replace(job, handle=handles[job.id], reports=1)
            for job in begun
            if job.id in handles
        ]
        alive = driver.adopt(begun)
        for job in begun:
            if job.id not in alive:
                assert not runs(pids.get(job.id, 0)), f"job {job.id} still runs, unadopted"
        if not alive:
            assert find(uid) == []
        for job_id in alive:
            driver.backend.cancel(job_id, grace=0)
            driver.until(is_end_of(job_id))
            assert driver.reports(job_id) == [], "a recorded report was delivered again"
        if not self.in_process:
            driver.reported(driver.submit())

    def _kill_a_controller(self, uid: str, folder: Path) -> tuple[dict[str, int], dict[str, Any]]:
        """Start jobs in another process, kill it, and return their process ids and handles."""
        file = sys.modules[type(self).__module__].__file__
        assert file is not None
        told = [file, type(self).__qualname__, uid, str(folder), "waits"]
        with subprocess.Popen(
            [sys.executable, "-c", _DOOMED, json.dumps(sys.path), *told],
            stdout=subprocess.PIPE,
            text=True,
        ) as controller:
            assert controller.stdout is not None
            begun = 1 if self.in_process else doomed.JOBS
            lines = [controller.stdout.readline().split(maxsplit=2) for _ in range(begun)]
            controller.kill()
        assert all(lines), "the controller could not start its jobs; see its output"
        pids = {job_id: int(pid) for job_id, pid, _ in lines}
        return pids, {job_id: json.loads(handle) for job_id, _, handle in lines}
