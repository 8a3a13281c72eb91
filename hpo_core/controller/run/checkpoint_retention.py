"""Delete checkpoints that are no longer needed, if the study limits how many to keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpo_core.controller.results.result import ranking
from hpo_core.controller.run.effects import NOTHING, Effects, all_of
from hpo_core.model.errors import HpoError
from hpo_core.model.job import TrialState
from hpo_core.model.objective import Losses
from hpo_core.store.checkpoints import Checkpoints


class CheckpointRetention:
    """Keeps the checkpoints of the best trials and of trials that may still be resumed.

    Running and paused trials may be resumed. If the strategy resumes trials, so may every completed
    trial until the study is finished. With several objectives, the best trials are those nearest to
    the Pareto front.

    Args:
        checkpoints: The study's checkpoints.
        keep: Number of best trials that keep their checkpoints; None to keep all.
        is_resuming: Whether the strategy resumes trials.
    """

    def __init__(self, checkpoints: Checkpoints, keep: int | None, is_resuming: bool) -> None:
        self._checkpoints = checkpoints
        self._keep = keep
        self._is_resuming = is_resuming
        self._best: list[tuple[int, Losses]] = []
        self._at_the_end: list[int] = []

    @property
    def is_keeping_all(self) -> bool:
        """Whether no checkpoints are ever deleted."""
        return self._keep is None

    def require(self, trial_id: int, state: TrialState, otherwise: HpoError) -> None:
        """Check that the checkpoints of a trial in this state have not been deleted.

        Raises:
            HpoError: `otherwise`, if they have been; see `Checkpoints.require`.
        """
        is_safe = self._keep is None or state is not TrialState.COMPLETED
        if not is_safe and not self._is_best(trial_id):
            self._checkpoints.require(trial_id, otherwise)

    def begin(
        self, best: Iterable[tuple[int, Losses]], states: Mapping[int, TrialState]
    ) -> Effects:
        """Resume an unfinished study: complete the deletions of an earlier run.

        Args:
            best: The best completed trials so far, as many as are kept.
            states: The state of each trial.
        """
        self._best = list(best)
        return all_of(
            self._found(trial_id, states.get(trial_id, TrialState.RUNNING))
            for trial_id in self._checkpoints.trials()
        )

    def _found(self, trial_id: int, state: TrialState) -> Effects:
        if state is TrialState.COMPLETED and not self._is_best(trial_id):
            return self._drop(trial_id)
        is_over = state in (TrialState.STOPPED, TrialState.FAILED)
        return Effects(delete_checkpoints=(trial_id,)) if is_over else NOTHING

    def trial_ended(self, trial_id: int, state: TrialState, losses: Losses | None) -> Effects:
        """Register the state of a trial; `losses` rank it among the best."""
        if self._keep is None or state is TrialState.PAUSED:
            return NOTHING
        self._best = [(kept, its) for kept, its in self._best if kept != trial_id]
        if state is not TrialState.COMPLETED:
            return Effects(delete_checkpoints=(trial_id,))
        if losses is None:
            return self._drop(trial_id)
        self._best.append((trial_id, losses))
        if len(self._best) <= self._keep:
            return NOTHING
        worst = ranking([its for _, its in self._best], len(self._best))[-1]
        return self._drop(self._best.pop(worst)[0])

    def trial_resumed(self, trial_id: int) -> None:
        """Keep the checkpoints of a trial that is resumed."""
        self._at_the_end = [each for each in self._at_the_end if each != trial_id]

    def study_finished(self) -> Effects:
        """Delete the checkpoints that were kept only for a possible resumption."""
        left = tuple(trial for trial in self._at_the_end if not self._is_best(trial))
        self._at_the_end.clear()
        return Effects(delete_checkpoints=left)

    def _drop(self, trial_id: int) -> Effects:
        if not self._is_resuming:
            return Effects(delete_checkpoints=(trial_id,))
        self._at_the_end.append(trial_id)
        return NOTHING

    def _is_best(self, trial_id: int) -> bool:
        return any(trial_id == kept for kept, _ in self._best)
