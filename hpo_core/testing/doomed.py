"""A controller for `BackendContract` to kill, to check what becomes of its jobs.

``python -m hpo_core.testing.doomed FILE CLASS UID FOLDER FUNCTION`` starts two jobs with the
backend of a test class, prints the process id that each reports with the job's handle, one on a
line, and continues.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from hpo_core.contracts.backend import Reported
    from hpo_core.testing.backends import BackendContract

JOBS = 2
"""Number of jobs to start."""


def main(file: str, name: str, uid: str, folder: str, function: str) -> NoReturn:
    """Start the jobs, and handle events until the process is killed."""
    contract = load(file, name)
    driver = contract.drive(Path(folder), function, study_uid=uid, workers=JOBS)

    def said(report: Reported) -> None:
        handle = json.dumps(driver.handles.get(report.job_id))
        print(f"{report.job_id} {report.metrics['pid']:.0f} {handle}", flush=True)

    driver.on_report = said
    for _ in range(JOBS):
        driver.submit()
    while True:
        driver.step()


def load(file: str, name: str) -> BackendContract:
    """Create an instance of a test class in a file."""
    spec = importlib.util.spec_from_file_location("doomed_contract", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    contract: type[BackendContract] = functools.reduce(getattr, name.split("."), module)  # type: ignore[assignment]  # what the file says it is
    return contract()


if __name__ == "__main__":
    main(*sys.argv[1:])
