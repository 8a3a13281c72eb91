"""HpBandSter: hpbandster's brackets as an hpo-core strategy.

Source: Falkner, Klein, Hutter, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale",
ICML 2018, section 4; Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter
Optimization", JMLR 18 (2018), algorithm 1. hpbandster decides; this class translates.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeAlias

from hpo_bohb import options as given
from hpo_bohb import space
from hpo_bohb.brackets import OUTSIDE, Brackets, Candidate, Draw, Run
from hpo_bohb.masters import master_of, quiet
from hpo_bohb.rungs import Rungs
from hpo_bohb.sampler import Sampler
from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Capability,
    Configuration,
    Decision,
    Exhausted,
    History,
    InvalidInput,
    Problem,
    Report,
    Resume,
    SavedState,
    Start,
    Status,
    StrategyError,
    Told,
    Unsupported,
    Wait,
)

_log = logging.getLogger("hpo_bohb")

Suggestion: TypeAlias = Start | Resume
Answer: TypeAlias = Start | Resume | Wait | Exhausted


class HpBandSter(BaseStrategy):
    """A strategy that asks and tells hpbandster.


    Args:
        problem: The study.
        options: The options of one of the variants.

    Attributes:
        capabilities: The capabilities with these options.

    Raises:
        InvalidInput: If hpbandster does not support the options, the space or the job's iterations.
        Unsupported: If there are several objectives.
    """

    handles_attempts = True  # it learns only from final reports
    compares_targets = True  # an enqueued configuration is a result at the maximum of iterations

    def __init__(self, problem: Problem, options: given.Bandit) -> None:
        if len(problem.objectives) > 1:
            raise Unsupported("hpbandster supports only one objective; give the study one")
        if faults := [*given.faults(problem, options), *space.faults(problem.space)]:
            raise InvalidInput(faults)
        seed = problem.seed % 2**32  # the range of numpy's legacy generators
        self.capabilities = given.abilities(options)
        self._resumes = Capability.RESUMING in self.capabilities
        with quiet():
            self._space = space.Translation(problem.space, seed)
        master = master_of(problem, options, self._space.configspace)
        self._rungs = Rungs(master.budgets)
        self._brackets = Brackets(master, options.n_iterations)
        self._sampler = Sampler(master.config_generator, self._space.configspace, seed)
        self._running: dict[int, Run] = {}
        self._results: list[Any] | None = None  # collected while restoring
        self._is_full = False
        self._has_warned = False

    # -- asking -----------------------------------------------------------------------------

    def ask(self, trial_id: int, /) -> Answer:
        """Suggest hpbandster's next run; a promotion resumes its trial, or starts a new one."""
        if self._is_full and not self._resumes:
            return Exhausted()
        run = self._brackets.next(None if self._is_full else self._draw)
        if run is not None:
            return self._launch(trial_id, run)
        return Wait() if self._brackets.may_promote() else Exhausted()

    def no_more_trials(self) -> None:
        """Promote what can be promoted, and draw nothing new.

        An incomplete rung can never be completed then, and its configurations remain in it.
        """
        self._is_full = True

    def _draw(self, budget: float) -> Candidate:
        pick = self._sampler.draw(budget)
        if pick.failure is not None and not self._has_warned:
            self._has_warned = True
            _log.warning(
                "a suggestion of hpbandster's model cannot be used (%s); hpbandster replaces it "
                "with a random one (logged once; the notes of each trial say whether it is "
                "model_based)",
                pick.failure,
            )
        return self._candidate(self._space.configuration(pick.natives), pick.is_model_based)

    def _candidate(self, configuration: Configuration, is_model_based: bool) -> Candidate:
        return Candidate(configuration, self._space.natives(configuration), is_model_based)

    def _launch(self, trial_id: int, run: Run) -> Suggestion:
        """Return a run as a suggestion, and register it as running."""
        iterations = self._rungs.iterations(run.budget)
        notes = {
            "config_id": list(run.id),
            "budget": float(run.budget),
            "model_based": run.candidate.is_model_based,
        }
        earlier = run.candidate.trial_id
        if earlier is not None and self._resumes:
            self._expect(earlier, run)
            return Resume(earlier, iterations, notes=notes)
        self._expect(trial_id, run)
        promoted = {} if earlier is None else {"promoted_from": earlier}
        return Start(run.candidate.configuration, iterations, notes=notes | promoted)

    def _expect(self, trial_id: int, run: Run) -> None:
        run.candidate.trial_id = trial_id
        self._running[trial_id] = run

    # -- adopting ---------------------------------------------------------------------------

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        """Register an adopted suggestion in place of the next one, if it is one of hpbandster's.

        A user's configuration trains to the study's maximum, so it cannot compete on a lower rung.
        It is not part of a bracket, and the model learns from it.
        """

        def draw(budget: float) -> Candidate:
            self._draw(budget)
            return self._given(suggestion)

        self._take(trial_id, suggestion, draw)

    def _take(self, trial_id: int, suggestion: Suggestion, draw: Draw) -> None:
        """Register the run of a suggestion; a new configuration comes from `draw`."""
        run = self._run_of(suggestion, draw)
        match suggestion:
            case Resume(earlier) if run is not None:
                self._expect(earlier, run)
            case Start() if run is not None:
                self._expect(trial_id, run)
            case Start(iterations=iterations):
                budget = self._rungs.budget(iterations)
                if budget is not None:
                    outsider = (OUTSIDE, 0, trial_id)
                    self._expect(
                        trial_id, Run(outsider, self._given(suggestion), budget, may_go_on=False)
                    )

    def _run_of(self, suggestion: Suggestion, draw: Draw) -> Run | None:
        """Return the next run of the bracket of a suggestion, or None."""
        if not isinstance(suggestion.notes, Mapping) or "config_id" not in suggestion.notes:
            return None
        number: int = suggestion.notes["config_id"][0]
        return self._brackets.next_of(number, None if isinstance(suggestion, Resume) else draw)

    def _given(self, suggestion: Suggestion) -> Candidate:
        assert isinstance(suggestion, Start)
        noted = suggestion.notes if isinstance(suggestion.notes, Mapping) else {}
        return self._candidate(suggestion.configuration, bool(noted.get("model_based")))

    # -- telling ----------------------------------------------------------------------------

    def tell(self, report: Report, /) -> Decision:
        """Tell hpbandster the end of a job; a job without losses counts as crashed."""
        run = self._running.get(report.trial_id)
        if run is None or not report.is_final or report.job_id in run.candidate.ended:
            return Decision.CONTINUE
        del self._running[report.trial_id]
        run.candidate.ended.add(report.job_id)
        is_good = report.status is Status.COMPLETED and report.losses is not None
        loss = report.losses[0] if is_good and report.losses else None
        self._learn(self._brackets.end(run, loss))
        is_kept = self._resumes and run.may_go_on and loss is not None
        return Decision.PAUSE if is_kept else Decision.CONTINUE

    def _learn(self, result: Any) -> None:
        if self._results is None:
            self._sampler.learn(result)
        else:
            self._results.append(result)

    # -- recovering -------------------------------------------------------------------------

    def save_state(self) -> dict[str, Any]:
        """Return the state of the random streams, and the current model."""
        return self._sampler.save()

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Restore the results before the saved state, and replay the later events.

        Raises:
            StrategyError: If a replayed answer differs from the stored one.
        """
        known = 0
        if saved is not None:
            known = saved.events
            self._results = []
            for event in history[:known]:
                self._put_back(event)
            results, self._results = self._results, None
            self._sampler.restore(saved.state, results)
        for event in history[known:]:
            self._do_again(event)

    def _put_back(self, event: Asked | Told) -> None:
        match event:
            case Told(report):
                self.tell(report)
            case Asked(trial_id, suggestion):
                self._take(trial_id, suggestion, lambda budget: self._given(suggestion))

    def _do_again(self, event: Asked | Told) -> None:
        match event:
            case Told(report):
                self.tell(report)
            case Asked(trial_id, suggestion, adopted=True):
                self.adopt(trial_id, suggestion)
            case Asked(trial_id, suggestion):
                run = self._run_of(suggestion, self._draw)
                again = None if run is None else self._launch(trial_id, run)
                if again is None or not _is_same(again, suggestion):
                    raise StrategyError(
                        f"restoring trial {trial_id}: hpbandster now suggests {again}, but "
                        f"{suggestion} is stored; were it, ConfigSpace, statsmodels, scipy or "
                        "numpy installed in another version?"
                    )


def _is_same(one: Suggestion, other: Suggestion) -> bool:
    """Compare two suggestions, including the types of their values: 1, 1.0 and True differ."""
    ours, theirs = (dict(each.configuration or {}) for each in (one, other))
    return one == other and all(type(ours[name]) is type(theirs[name]) for name in ours)
