"""`max_failures_at_start`: a study whose first trials all fail ends early."""

import pytest

from hpo_core import Budget, Float, InvalidInput, Objective, StudyState, optimize
from hpo_core.errors import StudyFailed


def fails(configuration):
    raise ValueError(f"no good: {configuration['x']}")


def jobs_of(lab):
    return lab.rows("SELECT trial, state FROM job ORDER BY trial, attempt")


def test_a_study_fails_when_its_first_five_trials_have_failed(lab):
    study = lab.study(fails, budget=50)
    with pytest.raises(StudyFailed, match="each of the first 5 trials failed") as caught:
        study.run()
    assert "5 of 5 trials failed, the first one in job 1.1: ValueError: no good: 1" in str(
        caught.value
    )
    assert study.state is StudyState.FAILED
    assert len(jobs_of(lab)) == 5


@pytest.mark.parametrize("limit", [1, 3])
def test_the_number_is_the_studys_own(lab, limit):
    with pytest.raises(StudyFailed, match=f"max_failures_at_start is {limit}"):
        lab.study(fails, budget=50, max_failures_at_start=limit).run()
    assert len(jobs_of(lab)) == limit


def test_zero_means_go_on(lab):
    assert lab.study(fails, budget=9, max_failures_at_start=0).run().state is StudyState.FINISHED
    assert len(jobs_of(lab)) == 9


def test_one_trial_that_does_not_fail_is_enough_to_go_on(lab):
    def fails_but_once(configuration):
        if configuration["x"] != 5:
            raise ValueError("no good")
        return 1.0

    result = lab.study(fails_but_once, budget=20).run()
    assert result.state is StudyState.FINISHED
    assert len(result.trials) == 20


def test_a_trial_counts_when_its_retries_have_failed_too(lab):
    with pytest.raises(StudyFailed, match="each of the first 2 trials failed"):
        lab.study(fails, budget=50, retries=2, max_failures_at_start=2).run()
    assert [trial for trial, _ in jobs_of(lab)] == [1, 1, 1, 2, 2, 2]


def test_a_timed_out_trial_counts_as_failed(lab):
    study = lab.study(lab.sh("exec sleep 100"), time_limit=0.05, max_failures_at_start=2, budget=9)
    with pytest.raises(StudyFailed, match=r"the first one in job 1\.1: ran longer than its limit"):
        study.run()
    assert [state for _, state in jobs_of(lab)] == ["timed_out", "timed_out"]


def test_a_resumed_study_counts_from_its_resumption_on(lab):
    job = lab.sh("[ -e broken ] || report 1")
    lab.study(job, budget=3, max_failures_at_start=2).run()
    (lab.folder / "broken").touch()
    for jobs in (5, 7):
        lab.change("UPDATE study SET state = 'interrupted'")
        lab.change("UPDATE study SET config = json_set(config, '$.budget.jobs', 50)")
        with pytest.raises(StudyFailed, match="each of the first 2 trials failed"):
            lab.study(job, budget=50, max_failures_at_start=2).run()
        assert len(jobs_of(lab)) == jobs


def test_the_reason_told_after_a_resumption_is_of_this_session(lab):
    job = lab.sh("cat why >&2; exit 3")
    (lab.folder / "why").write_text("the old reason")
    with pytest.raises(StudyFailed, match=r"job 1\.1: exit status 3: the old reason"):
        lab.study(job, budget=50, max_failures_at_start=2).run()
    (lab.folder / "why").write_text("the new reason")
    with pytest.raises(StudyFailed, match=r"4 of 4 .* job 3\.1: exit status 3: the new reason"):
        lab.study(job, budget=50, max_failures_at_start=2).run()


def test_optimize_takes_it_too():
    about = {"objective": Objective("loss", "minimize"), "backend": "inline"}
    with pytest.raises(StudyFailed, match="each of the first 3 trials failed"):
        optimize(fails, [Float("x", 0, 1)], max_failures_at_start=3, **about)
    budget = Budget(jobs=7)
    result = optimize(fails, [Float("x", 0, 1)], max_failures_at_start=0, budget=budget, **about)
    assert len(result.trials) == 7


def test_a_negative_number_is_a_fault(lab):
    with pytest.raises(InvalidInput, match="max_failures_at_start: must be 0 or more, got -1"):
        lab.study(fails, max_failures_at_start=-1)
