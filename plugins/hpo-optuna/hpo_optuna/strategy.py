"""OptunaStrategy: one Optuna study in memory, asked and told.

Suggestions are, one for one, those of Optuna's own ask and tell. A forbidden one stays pending
in Optuna, so that samplers that look at pending trials keep away from it, and the next is asked
for. To recover, trials are put back as they were, with what samplers had attached to them (the
notes of each `Start`), everything is told again, and the sampler's memory is loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
import optuna
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection

from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Capability,
    Configuration,
    Decision,
    Exhausted,
    Fault,
    History,
    InvalidInput,
    Parameter,
    Problem,
    Report,
    Resume,
    SavedState,
    Start,
    Status,
    StrategyError,
    Told,
    Value,
)
from hpo_optuna import axes
from hpo_optuna.fixed import fixed_natives
from hpo_optuna.options import Options, constraints_of
from hpo_optuna.recovery import (
    Memory,
    attributes_from_json,
    attributes_of_any,
    attributes_to_json,
)
from hpo_optuna.reports import Reports
from hpo_optuna.samplers import make_sampler, pruner_of, quiet, warn_of_random_draws, with_fixed

REFUSED_IN_A_ROW = 1_000
"""Maximum number of forbidden suggestions in a row, after which the study fails."""

_log = logging.getLogger("hpo_optuna")


def study_name(seed: int) -> str:
    """Return the name of the Optuna study of a seed; Hyperband sorts trials into brackets by it."""
    return f"hpo-core-{seed}"


class OptunaStrategy(BaseStrategy):
    """Asks and tells an Optuna study.

    Args:
        problem: The study.
        options: The sampler's options.

    Raises:
        InvalidInput: If Optuna does not support the space, the objectives or the options.
        Unsupported: If a package is missing.

    Attributes:
        capabilities: The capabilities, if fewer than in the spec.
    """

    capabilities: frozenset[Capability]

    def __init__(self, problem: Problem, options: Options) -> None:
        axes.check(problem.space)
        self._space = problem.space
        self._distributions = axes.distributions(problem.space)
        sampler = make_sampler(options, problem.seed)
        given = pruner_of(options)
        if given is not None and len(problem.objectives) > 1:
            raise InvalidInput([Fault("pruner", "Optuna's pruners serve one objective alone")])
        pruner = None if given is None else given[1]
        self._memory = Memory(sampler, self._distributions)
        fixed = fixed_natives(problem.space, options.fixed)
        self._study = _study(problem, with_fixed(sampler, fixed), pruner)
        self._storage = self._study._storage
        sees_best = given is not None and given[0].sees_best
        self._reports = Reports(
            problem, self._study, pruner, sees_best, constraints_of(problem, options)
        )
        self._pending: dict[int, int] = {}  # the number in Optuna of each trial that runs
        self._adopted: dict[int, dict[str, Any]] = {}  # what there is to note of those
        self._is_noting = self._memory.is_known
        self._is_asking_again = False  # then notes, which differ between versions, are left out
        warn_of_random_draws(options, problem.space)

    # -- asking -----------------------------------------------------------------------------

    def ask(self, trial_id: int, /) -> Start | Exhausted:
        """Suggest what Optuna suggests.

        Raises:
            StrategyError: If 1,000 suggestions in a row are forbidden.
        """
        number, configuration, notes = self._draw(trial_id)
        self._pending[trial_id] = number
        return Start(configuration, notes=None if self._is_asking_again else notes or None)

    def _draw(self, trial_id: int) -> tuple[int, Configuration, dict[str, Any]]:
        """Start a trial in Optuna; return its number, configuration and notes."""
        before = self._study_attributes()
        refused: list[dict[str, Any]] = []
        for _ in range(REFUSED_IN_A_ROW):
            trial = self._study.ask()
            configuration, values = self._suggest(trial)
            is_taken = self._takes(configuration)
            notes = self._noted(trial.number, values, configuration) if self._is_noting else {}
            if is_taken:
                after = self._study_attributes()
                if after is not before and self._is_noting:
                    changed = {key: after[key] for key in after if before.get(key) != after[key]}
                    notes |= {"study": changed}
                return (
                    trial.number,
                    configuration,
                    notes | ({"refused": refused} if refused else {}),
                )
            self._refuse(trial)
            refused.append({**notes, "values": values})
        raise StrategyError(
            f"trial {trial_id}: {REFUSED_IN_A_ROW:,} suggestions in a row were forbidden; the "
            f"sampler keeps to forbidden combinations: leave those values out of the parameters, "
            f"or take another strategy"
        )

    def _suggest(self, trial: optuna.Trial) -> tuple[Configuration, dict[str, axes.Native]]:
        values: dict[str, axes.Native] = {}

        def choose(axis: Parameter) -> Mapping[str, Value]:
            if axis.name not in self._distributions:
                return axis.values_at(0)
            values[axis.name] = axes.suggest(trial, axis)
            return axes.values_of(axis, values[axis.name])

        return self._space.build(choose), values

    def _takes(self, configuration: Configuration) -> bool:
        return not self._space.is_forbidden(configuration)

    def _refuse(self, trial: optuna.Trial) -> None:
        """Leave it pending: so a sampler that looks at pending trials keeps away from it."""

    def _noted(
        self, number: int, values: Mapping[str, axes.Native], configuration: Configuration
    ) -> dict[str, Any]:
        """Return what there is to remember of a trial beyond its configuration."""
        plain = axes.natives(self._space, configuration)
        exact = {name: value for name, value in values.items() if value != plain[name]}
        attributes = attributes_to_json(self._storage.get_trial(number))
        return ({"values": exact} if exact else {}) | (
            {"attributes": attributes} if attributes else {}
        )

    def _study_attributes(self) -> dict[str, Any]:
        return self._storage.get_study_system_attrs(self._study._study_id)

    # -- adopting ---------------------------------------------------------------------------

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        """Take a configuration from elsewhere in place of what Optuna suggests now."""
        if isinstance(suggestion, Start):
            number, drawn, notes = self._draw(trial_id)
            self._pending[trial_id] = number
            if not _same(drawn, suggestion.configuration):
                self._replace(number, suggestion.configuration)
                kept = {name: notes[name] for name in ("study", "refused") if name in notes}
                notes = kept | self._noted(number, {}, suggestion.configuration)
            if notes:
                self._adopted[trial_id] = notes

    def _replace(self, number: int, configuration: Configuration) -> None:
        """Put another configuration in the place of a running trial's."""
        trial = self._storage.get_trial(number)  # the very one that is kept in memory
        trial.params, trial.distributions = {}, {}
        trial.system_attrs = attributes_of_any(trial.system_attrs)
        self._set(number, axes.natives(self._space, configuration), {})

    def _recall(
        self, trial_id: int, configuration: Configuration, notes: Mapping[str, Any]
    ) -> None:
        """Put a trial back, and all that was left behind when it was drawn."""
        for refused in notes.get("refused", ()):
            self._put_back_refused(refused["values"], refused.get("attributes", {}))
        values = axes.natives(self._space, configuration) | notes.get("values", {})
        self._pending[trial_id] = self._put_back(values, notes.get("attributes", {}))
        for name, value in notes.get("study", {}).items():
            self._storage.set_study_system_attr(self._study._study_id, name, value)

    def _put_back(self, values: Mapping[str, axes.Native], attributes: Mapping[str, Any]) -> int:
        """Add a running trial, and return its number."""
        number = self._storage.create_new_trial(self._study._study_id)  # the only study's: equal
        self._set(number, values, attributes)
        return number

    def _set(
        self, number: int, values: Mapping[str, axes.Native], attributes: Mapping[str, Any]
    ) -> None:
        for name, distribution in self._distributions.items():
            if name in values:
                value = distribution.to_internal_repr(values[name])
                self._storage.set_trial_param(number, name, value, distribution)
        for name, attribute in attributes_from_json(attributes).items():
            self._storage.set_trial_system_attr(number, name, attribute)

    def _put_back_refused(
        self, values: Mapping[str, axes.Native], attributes: Mapping[str, Any]
    ) -> None:
        self._put_back(values, attributes)

    # -- telling ----------------------------------------------------------------------------

    def tell(self, report: Report, /) -> Decision:
        """Tell Optuna; STOP is the decision of its pruner. Late reports are ignored."""
        number = self._pending.get(report.trial_id)
        if number is None:
            return Decision.CONTINUE
        decision = self._reports.take_in(number, report)
        if report.is_final and report.status is not Status.PAUSED:
            del self._pending[report.trial_id]
        return decision

    # -- recovering -------------------------------------------------------------------------

    def save_state(self) -> dict[str, Any] | None:
        """Return the sampler's memory; None with a version of Optuna that is not known."""
        state = self._memory.save()
        if state is not None and self._adopted:
            state["adopted"] = {str(trial_id): each for trial_id, each in self._adopted.items()}
        return state

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Put all trials back, then the sampler's memory; ask again what is younger than it.

        Without a state that can be loaded, everything is asked again.

        Raises:
            StrategyError: If a replayed answer differs from the stored one.
        """
        known = 0
        if saved is not None and self._memory.can_load(saved.state):
            known = saved.events
            adopted = saved.state.get("adopted", {})
            self._adopted = {int(trial_id): notes for trial_id, notes in adopted.items()}
            for event in history[:known]:
                self._replay(event)
            self._memory.load(saved.state)
            if (stored := saved.state["optuna"]) != optuna.__version__:
                _log.warning(
                    "Optuna was %s when this study was saved, and is now %s; from here on its "
                    "suggestions may differ from those of an uninterrupted run",
                    stored,
                    optuna.__version__,
                )
        self._is_asking_again = True
        super().restore([_without_notes(event) for event in history[known:]], None)
        self._is_asking_again = False

    def _replay(self, event: Asked | Told) -> None:
        match event:
            case Told(report):
                self.tell(report)
            case Asked(trial_id, Start(configuration), adopted=True):
                self._recall(trial_id, configuration, self._adopted.get(trial_id, {}))
            case Asked(trial_id, Start(configuration, notes=notes)):
                self._recall(trial_id, configuration, notes or {})


def _study(
    problem: Problem, sampler: BaseSampler, pruner: optuna.pruners.BasePruner | None
) -> optuna.Study:
    with quiet():
        return optuna.create_study(
            storage=InMemoryStorage(),
            sampler=sampler,
            pruner=pruner or optuna.pruners.NopPruner(),
            study_name=study_name(problem.seed),
            directions=[StudyDirection[each.direction.upper()] for each in problem.objectives],
        )


def _same(one: Configuration, other: Configuration) -> bool:
    """Return whether all values are equal, and of the same type."""
    return one == other and all(type(one[name]) is type(other[name]) for name in one)


def _without_notes(event: Asked | Told) -> Asked | Told:
    if isinstance(event, Told) or event.suggestion.notes is None:
        return event
    bare = msgspec.structs.replace(event.suggestion, notes=None)
    return msgspec.structs.replace(event, suggestion=bare)
