"""``keep_checkpoints``: which checkpoints are kept, and which are deleted."""

from pathlib import Path

import pytest

import hpo_core.plugin
from hpo_core import Budget, Configuration, JobInfo, Objective, StudyState
from hpo_core.plugin import BaseStrategy, Decision, Exhausted, JobFinished, Resume, Start


def writes(configuration, job: JobInfo):
    """Leaves its trial's number and target in the checkpoint; x = 3 fails."""
    x = configuration["x"]
    with (Path(job.checkpoint_dir) / "history").open("a") as file:
        file.write(f"{job.trial_id} ")
    hpo_core.report(job.iterations or 1, loss=float(x), memory=float(x) - 5)
    if x == 3:
        raise ValueError("three")


def checkpoints(lab):
    return hpo_core.load_study(lab.store, "s").folder / "checkpoints"


def kept(lab):
    return sorted(int(path.name) for path in checkpoints(lab).iterdir())


@pytest.mark.parametrize(("keep", "left"), [(None, range(1, 9)), (2, [1, 2]), (0, [])])
def test_the_best_trials_keep_their_checkpoints(lab, keep, left):
    study = lab.study(writes, budget=Budget(jobs=8), keep_checkpoints=keep)
    study.run()
    assert kept(lab) == list(left)


def test_a_better_trial_takes_the_place_of_a_worse_one(lab):
    study = lab.study(
        writes,
        budget=Budget(jobs=8),
        keep_checkpoints=3,
        objectives=(Objective("loss", "maximize"),),
    )
    study.run()
    assert kept(lab) == [6, 7, 8]


def test_an_infeasible_trial_is_not_among_the_best(lab):
    study = lab.study(
        writes,
        budget=Budget(jobs=8),
        keep_checkpoints=2,
        objectives=(Objective("loss", "maximize"),),
        constraints=(hpo_core.Constraint("memory"),),
    )
    study.run()
    assert kept(lab) == [4, 5]


def test_next_session_deletes_checkpoints_that_an_interrupted_one_left(lab):
    first = lab.study(writes, budget=Budget(jobs=8))
    ended = []
    first.run(lambda job: (ended.append(job), len(ended) == 5 and first.request_stop()))
    assert len(kept(lab)) >= 5
    second = lab.study(writes, budget=Budget(jobs=8), keep_checkpoints=2)
    second.run()
    assert kept(lab) == [1, 2]


class Promotes(BaseStrategy):
    """Runs five trials to iteration 1 and pauses them, then resumes one by one to 2."""

    def __init__(self, resumed=(4,), completes=False):
        self._resumed = list(resumed)
        self._answer = Decision.CONTINUE if completes else Decision.PAUSE
        self._left = 0

    def ask(self, trial_id, /):
        if trial_id <= 5:
            return Start(Configuration(x=trial_id), iterations=1)
        if self._left:
            return hpo_core.plugin.Wait()
        return Resume(self._resumed.pop(), iterations=2) if self._resumed else Exhausted()

    def adopt(self, trial_id, suggestion, /):
        pass

    def tell(self, report, /):
        return self._answer if report.is_final and report.iteration == 1 else Decision.CONTINUE


def test_what_may_still_be_resumed_is_kept(lab):
    study = lab.study(writes, strategy=Promotes(), max_iterations=2, keep_checkpoints=1)
    result = study.run()
    states = {trial.trial_id: trial.state.value for trial in result.trials}
    assert states == {1: "paused", 2: "paused", 3: "failed", 4: "completed", 5: "paused"}
    assert kept(lab) == [1, 2, 4, 5]


def test_what_has_completed_may_be_resumed_until_the_study_is_finished(lab):
    study = lab.study(
        writes, strategy=Promotes([5], completes=True), max_iterations=2, keep_checkpoints=1
    )
    result = study.run()
    assert result.trials[4].iteration == 2
    assert kept(lab) == [1]


def test_a_resumption_from_checkpoints_that_are_deleted_is_an_error_that_says_so(lab):
    changes = {"max_iterations": 2, "keep_checkpoints": 1}
    first = lab.study(
        writes, strategy=Promotes([], completes=True), budget=Budget(jobs=5), **changes
    )
    first.run()
    hpo_core.load_study(lab.store, "s").extend(Budget(jobs=9))
    second = lab.study(
        writes, strategy=Promotes([5], completes=True), budget=Budget(jobs=9), **changes
    )
    with pytest.raises(
        hpo_core.errors.StudyFailed, match=r"trial 5, whose checkpoints job\.keep_checkp"
    ):
        second.run()


class Copies(BaseStrategy):
    """Runs two trials, then carries the second on from the first one's checkpoint."""

    def ask(self, trial_id, /):
        if trial_id <= 2:
            return Start(Configuration(x=trial_id), iterations=1)
        return self._last() if not hasattr(self, "_is_over") else Exhausted()

    def _last(self):
        self._is_over = True
        return Resume(2, iterations=2, checkpoint_from=1, configuration=Configuration(x=7))

    def tell(self, report, /):
        return Decision.PAUSE if report.is_final and report.iteration == 1 else Decision.CONTINUE


def test_a_trial_may_be_carried_on_from_another_ones_checkpoint(lab):
    study = lab.study(writes, strategy=Copies(), max_iterations=2)
    result = study.run()
    assert (checkpoints(lab) / "2" / "history").read_text() == "1 2 "
    assert result.trials[1].configuration == {"x": 7}
    assert kept(lab) == [1, 2]


def test_a_copy_that_fails_costs_the_job_that_wanted_it_and_no_more(lab, listener, caplog):
    def spoils(configuration, job: JobInfo):
        writes(configuration, job)
        if job.trial_id == 1:
            folder = Path(job.checkpoint_dir)
            (folder / "history").unlink()
            folder.rmdir()
            folder.write_text("no folder any more")

    study = lab.study(spoils, strategy=Copies(), max_iterations=2, observers=[listener])
    result = study.run()
    assert result.state is StudyState.FINISHED
    assert [trial.state.value for trial in result.trials] == ["paused", "failed"]
    (reason,) = lab.rows("SELECT reason FROM job WHERE state = 'failed'")[0]
    assert reason.startswith("cannot copy the checkpoints of trial 1 for job 2.2: ")
    assert "job 2.2 failed: cannot copy" in caplog.text
    ended = listener.of(JobFinished)
    assert [each.finished.job.id for each in ended] == ["1.1", "2.1", "2.2"]
    assert study.usage.jobs == 3


def test_files_missing_from_a_copy_are_reported_with_their_job(lab, caplog):
    def links_out(configuration, job: JobInfo):
        writes(configuration, job)
        if job.trial_id == 1:
            (Path(job.checkpoint_dir) / "data").symlink_to("/etc")

    lab.study(links_out, strategy=Copies(), max_iterations=2).run()
    ((state, reason),) = lab.rows("SELECT state, reason FROM job WHERE trial = 2 AND attempt = 2")
    said = "the checkpoints of trial 1 were copied without the link 'data', which points outside"
    assert state == "completed"
    assert said in reason
    assert said in caplog.text


def test_how_many_are_kept_may_change_from_session_to_session(lab, caplog):
    first = lab.study(writes, budget=Budget(jobs=4), keep_checkpoints=3)
    first.run()
    hpo_core.load_study(lab.store, "s").extend(Budget(jobs=6))
    second = lab.study(writes, budget=Budget(jobs=6), keep_checkpoints=1)
    assert second.run().state is StudyState.FINISHED
    assert kept(lab) == [1]


@pytest.mark.parametrize("keep", [-1, 1.5])
def test_a_senseless_number_is_a_fault(lab, keep):
    with pytest.raises(hpo_core.InvalidInput, match="keep_checkpoints"):
        lab.study(writes, keep_checkpoints=keep)
