"""Answers of a strategy: in the space, within the targets, and only as declared."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hpo_core.contracts.strategy import Asked, Capability, Resume, Told
from hpo_core.model.report import Decision
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration
from hpo_core.testing.cases import Case
from hpo_core.testing.checks.plain import not_plain
from hpo_core.testing.drawing import cases, for_all
from hpo_core.testing.kit import check
from hpo_core.testing.simulator import Simulator
from hpo_core.testing.spaces import CONDITIONAL, FORBIDDEN, LINEAR, PLAIN, probe
from hpo_core.testing.subject import Broken, NotApplicable, Subject
from hpo_core.testing.wording import as_text


@check(
    remedy="remove the capability from the spec, or accept such problems",
)
def accepts_what_it_declares(subject: Subject) -> str | None:
    """It accepts every kind of problem that its capabilities declare."""
    if subject.spaces:
        raise NotApplicable("it is checked only on the given spaces")
    for name, (capability, _) in probe().items():
        if capability is not None and subject.can(capability) and name in subject.refusals:
            reason = subject.refusals[name]
            raise Broken(f"it declares {capability.name}, but rejects {name}: {reason}")
    by_reason: dict[str, list[str]] = {}
    for name, reason in subject.refusals.items():
        by_reason.setdefault(reason, []).append(name)
    refused = [f"rejects {', '.join(names)}: {reason}" for reason, names in by_reason.items()]
    return "; ".join(refused) or None


@check(
    remedy="build a Configuration with space.build or space.configuration; return Decision.CONTINUE"
    " if there is nothing to decide",
)
def answers_fit_the_contract(subject: Subject) -> str | None:
    """`ask` returns a Start, Resume, Wait or Exhausted with a Configuration and plain JSON notes,
    `tell` a Decision.
    """

    def body(case: Case) -> None:
        run = _played(subject, case)
        for suggestion in run.suggestions:
            configuration = suggestion.configuration
            if configuration is not None and type(configuration) is not Configuration:
                raise Broken(f"its configuration is {configuration!r}, not a Configuration")
            for wrong in not_plain(suggestion.notes):
                raise Broken(f"the notes of {as_text(suggestion)} are not plain JSON: {wrong}")
            if suggestion.iterations is not None and type(suggestion.iterations) is not int:
                raise Broken(f"{as_text(suggestion)}: iterations is not an int")
        for decision in run.decisions:
            if not isinstance(decision, Decision):
                raise Broken(f"tell returned {decision!r}, not a Decision")

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="check with space.wrong(configuration); convert numpy scalars with .item()",
)
def suggestions_lie_in_the_space(subject: Subject) -> str | None:
    """Suggestions are in the space, as plain Python values of the parameters' types."""
    _all_in_space(subject, PLAIN)
    return None


@check(
    remedy="build configurations with space.build, which asks only for the active parameters",
    needs=Capability.CONDITIONAL,
)
def only_active_parameters_are_set(subject: Subject) -> str | None:
    """Suggestions for a conditional space contain exactly the active parameters."""
    _all_in_space(subject, CONDITIONAL)
    return None


@check(
    remedy="check space.is_forbidden(configuration), and draw again if it is true",
    needs=Capability.FORBIDDEN,
)
def no_forbidden_combination_is_suggested(subject: Subject) -> str | None:
    """No suggestion is a forbidden combination."""

    def body(case: Case) -> None:
        for suggestion in _played(subject, case).suggestions:
            configuration = suggestion.configuration
            if configuration is not None and case.problem.space.is_forbidden(configuration):
                raise Broken(f"{as_text(suggestion)} is forbidden")

    for_all(subject, cases(subject, space=FORBIDDEN), body)
    return None


@check(
    remedy="check space.is_forbidden(configuration), which covers linear inequalities, too",
    needs=Capability.LINEAR,
)
def no_linear_inequality_is_violated(subject: Subject) -> str | None:
    """Every suggestion satisfies the linear inequalities of its space."""
    _all_in_space(subject, LINEAR)
    return None


@check(
    remedy="keep to problem.min_iterations and problem.max_iterations",
)
def iteration_targets_are_respected(subject: Subject) -> str | None:
    """Iteration targets are between the study's minimum and maximum."""

    def body(case: Case) -> None:
        least, most = case.problem.min_iterations, case.problem.max_iterations
        for suggestion in _played(subject, case).suggestions:
            target = suggestion.iterations
            if target is not None and (target < least or (most is not None and target > most)):
                limits = f"from {least}" if most is None else f"from {least} to {most}"
                raise Broken(f"{as_text(suggestion)}: the study allows {limits} iterations")

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="add Capability.RESUMING or Capability.STOPPING to the spec",
)
def what_it_does_is_declared(subject: Subject) -> str | None:
    """It resumes trials, and stops or pauses running jobs, only if its capabilities say so."""

    def body(case: Case) -> None:
        for event in _played(subject, case).history:
            match event:
                case Asked(_, Resume(trial_id)) if not subject.can(Capability.RESUMING):
                    raise Broken(f"it resumes trial {trial_id} without declaring RESUMING")
                case Told(report, Decision.PAUSE) if not subject.can(Capability.RESUMING):
                    raise Broken(f"it pauses trial {report.trial_id} without declaring RESUMING")
                case Told(report, (Decision.STOP | Decision.PAUSE) as decision):
                    if not report.is_final and not subject.can(Capability.STOPPING):
                        word = decision.value
                        raise Broken(
                            f"it answers a running job of trial {report.trial_id} with {word} "
                            "without declaring STOPPING"
                        )

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="remove a trial from the candidates while it is running, and when its final report says "
    "stopped, failed or timed out",
    needs=Capability.RESUMING,
)
def only_open_trials_are_resumed(subject: Subject) -> str | None:
    """It resumes only paused or completed trials, and failed ones as copies of other trials."""

    def body(case: Case) -> None:
        for wrong in _played(subject, case).bad_resumes:
            raise Broken(wrong)

    for_all(subject, cases(subject), body)
    return None


def _played(subject: Subject, case: Case) -> Simulator:
    """Simulate a case, and some more jobs."""
    return case.simulate(subject.make(case.problem)).run(6)


def _all_in_space(subject: Subject, space: str) -> None:
    def body(case: Case) -> None:
        for suggestion in _played(subject, case).suggestions:
            for wrong in _wrong(case.problem.space, suggestion):
                raise Broken(wrong)

    for_all(subject, cases(subject, space=space), body)


def _wrong(space: SearchSpace, suggestion: msgspec.Struct) -> Iterator[str]:
    configuration = getattr(suggestion, "configuration", None)
    if configuration is not None:
        for fault in space.wrong(configuration):
            yield f"{as_text(suggestion)}: {fault}"
