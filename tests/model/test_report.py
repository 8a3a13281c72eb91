"""Jobs and reports: which states are final, and how jobs are numbered."""

import pytest

from hpo_core.model.job import JobState, job_id
from hpo_core.model.report import Report, Status


@pytest.mark.parametrize("status", Status)
def test_every_report_but_a_running_one_is_final(status: Status) -> None:
    assert Report(trial_id=1, job_id="1.1", status=status).is_final == (status.value != "running")


@pytest.mark.parametrize("state", JobState)
def test_a_job_has_ended_unless_it_is_queued_or_runs(state: JobState) -> None:
    assert state.is_final == (state.value not in ("queued", "running"))


def test_every_status_of_a_report_is_a_state_of_its_job() -> None:
    assert {status.value for status in Status} <= {state.value for state in JobState}


def test_jobs_of_a_trial_are_numbered() -> None:
    assert job_id(7, 2) == "7.2"
