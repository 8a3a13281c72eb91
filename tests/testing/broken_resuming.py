"""Strategies that resume trials that they may not, or forget that they did."""

from __future__ import annotations

from typing import Any

from broken import breaks
from samples import Halving

from hpo_core.plugin import Decision, Problem, Report, Resume, Start, Status


class Long(Halving):
    """Halving over many trials."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.trials = 200


@breaks("only_open_trials_are_resumed")
class ResumesWhatFailedWhenResumed(Long):
    def tell(self, report: Report, /) -> Any:
        if report.status is Status.FAILED and report.trial_id in self.promoted:
            self.promoted.discard(report.trial_id)
        return super().tell(report)


@breaks("only_open_trials_are_resumed")
class ResumesWhatTimedOut(Long):
    def tell(self, report: Report, /) -> Any:
        if report.status is Status.TIMED_OUT and report.trial_id in self.started:
            self.waiting[report.trial_id] = -1.0
        return super().tell(report)


@breaks("only_open_trials_are_resumed")
class ResumesWhatTheBudgetStopped(Long):
    def tell(self, report: Report, /) -> Any:
        if report.status is Status.STOPPED and report.losses and report.trial_id in self.started:
            self.waiting[report.trial_id] = report.losses[0]
        return super().tell(report)


@breaks("only_open_trials_are_resumed")
class ResumesLateWhatRuns(Long):
    def candidate(self) -> int | None:
        if len(self.started) > 25 and self.running - self.promoted:
            return min(self.running - self.promoted)
        return super().candidate()


@breaks("only_open_trials_are_resumed")
class CopiesACheckpointOfNoTrial(Long):
    def ask(self, trial_id: int, /) -> Any:
        answer = super().ask(trial_id)
        if isinstance(answer, Resume) and len(self.started) > 20:
            return Resume(answer.trial_id, answer.iterations, checkpoint_from=trial_id + 50)
        return answer


@breaks("recovery_is_exact_at_every_point")
class ForgetsFailedResumes(Long):
    def restore(self, history: Any, saved: Any, /) -> None:
        super().restore(history, saved)
        failed = {
            event.report.trial_id
            for event in history
            if hasattr(event, "report") and event.report.status is Status.FAILED
        }
        self.promoted -= failed


@breaks("adopting_equals_suggesting")
class AdoptsNoResume(Long):
    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        if isinstance(suggestion, Start):
            super().adopt(trial_id, suggestion)


@breaks("all_jobs_may_fail")
class PausesWhatFailed(Long):
    def tell(self, report: Report, /) -> Any:
        decision = super().tell(report)
        if report.status is Status.FAILED and report.trial_id not in self.promoted:
            self.waiting[report.trial_id] = 0.0
            return Decision.PAUSE
        return decision


@breaks("no_trial_starts_after_the_last")
class StartsAgainAfterAFailure(Long):
    def tell(self, report: Report, /) -> Any:
        if report.status is Status.FAILED:
            self.trials += 1
        return super().tell(report)

    def no_more_trials(self) -> None:
        self.trials = len(self.started)
