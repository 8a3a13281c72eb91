"""What Slurm's own words mean for a study, from its recorded output."""

from __future__ import annotations

import pytest
from hpo_slurm import states

from hpo_core.plugin import FailureCause, Outcome

LISTING = """\
17_0|RUNNING|None|node1|hpo-core abc-1-2 7.1
17_1|PENDING|Resources||hpo-core abc-1-2 7.1
18|FAILED|NonZeroExitCode|node2|hpo-core abc-1-2 9.1
19|RUNNING|None|node1|hpo-core other 1.1
20|RUNNING|None|node1|somebody's | own comment
21|RUNNING|None|node1|(null)
slurm_load_jobs error: something else
"""


def test_the_jobs_of_a_study_are_found_by_their_comment() -> None:
    jobs = list(states.jobs_of("abc-1-2", LISTING))
    assert [(job.id, job.batch, job.index, job.is_active) for job in jobs] == [
        ("17_0", "7.1", 0, True),
        ("17_1", "7.1", 1, True),
        ("18", "9.1", 0, False),
    ]


def job(state: str, reason: str = "None") -> states.SlurmJob:
    return states.SlurmJob("17", state, reason, "node1", "abc", "7.1", 0)


@pytest.mark.parametrize(
    ("state", "outcome", "cause", "says"),
    [
        ("COMPLETED", Outcome.COMPLETED, None, ""),
        ("TIMEOUT", Outcome.TIMED_OUT, None, "time limit"),
        ("DEADLINE", Outcome.TIMED_OUT, None, "deadline"),
        ("OUT_OF_MEMORY", Outcome.FAILED, FailureCause.OUT_OF_MEMORY, "more memory"),
        ("CANCELLED", Outcome.LOST, None, "not by the study"),
        ("PREEMPTED", Outcome.LOST, None, "preempted it on node1"),
        ("NODE_FAIL", Outcome.LOST, None, "its node failed on node1"),
        ("BOOT_FAIL", Outcome.LOST, None, "its node failed on node1"),
        ("REVOKED", Outcome.LOST, None, "another cluster"),
        ("SOME_NEW_STATE", Outcome.LOST, None, "SOME_NEW_STATE"),
    ],
)
def test_a_final_state_is_an_outcome(
    state: str, outcome: Outcome, cause: FailureCause | None, says: str
) -> None:
    assert not job(state).is_active
    ended = states.verdict(job(state))
    assert (ended.outcome, ended.cause) == (outcome, cause)
    assert says in ended.reason


@pytest.mark.parametrize(
    ("reason", "code", "outcome", "cause", "says"),
    [
        ("NonZeroExitCode", "127:0", Outcome.FAILED, FailureCause.ERROR, "exit status 127"),
        ("RaisedSignal:9(Killed)", "0:9", Outcome.FAILED, FailureCause.KILLED, "signal 9"),
        ("NonZeroExitCode", "", Outcome.FAILED, FailureCause.ERROR, "NonZeroExitCode"),
        ("JobLaunchFailure", "0:0", Outcome.LOST, None, "could not start it"),
    ],
)
def test_a_failure_says_how(
    reason: str, code: str, outcome: Outcome, cause: FailureCause | None, says: str
) -> None:
    ended = states.verdict(job("FAILED", reason), code)
    assert (ended.outcome, ended.cause) == (outcome, cause)
    assert says in ended.reason


@pytest.mark.parametrize(
    "state",
    ["PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD"],
)
def test_a_job_that_waits_runs_or_ends_is_active(state: str) -> None:
    assert job(state).is_active


def test_the_exit_code_is_read_from_scontrol() -> None:
    shown = "JobId=18 JobName=x JobState=FAILED DerivedExitCode=0:0 ExitCode=3:0 RunTime=00:00:01"
    assert states.exit_code(shown) == "3:0"
    assert states.exit_code("slurm_load_jobs error: Invalid job id specified") == ""
