"""Jobs and reports: final states, and numbers of jobs."""

import pytest

from hpo_core import JobState
from hpo_core.model.job import job_id
from hpo_core.model.report import how_to_report
from hpo_core.plugin import Report, Status


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


def test_how_to_report_works_for_names_that_are_no_identifiers() -> None:
    assert how_to_report("loss", 3) == (
        "in Python by hpo_core.report(3, loss=0.5), elsewhere by a line "
        '{"iteration": 3, "loss": 0.5} to the descriptor $HPO_REPORT_FD'
    )
    assert "hpo_core.report(**{'validation/loss': 0.5})" in how_to_report("validation/loss")
