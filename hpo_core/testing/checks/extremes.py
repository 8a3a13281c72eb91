"""Extremes: one point, 200 parameters, thousands of choices, enormous integers, unknown options,
the time of an ask.
"""

from __future__ import annotations

import statistics
import time

import msgspec

from hpo_core.contracts.strategy import Exhausted, Problem, Resume, Start
from hpo_core.model.checked import read
from hpo_core.testing import gallery
from hpo_core.testing.kit import check
from hpo_core.testing.simulator import Simulator
from hpo_core.testing.spaces import drawn_configuration
from hpo_core.testing.subject import Broken, NotApplicable, Subject
from hpo_core.testing.wording import as_text, details

HISTORIES = (10, 100, 1000)
PATIENCE = 0.5
"""Seconds for one ask beyond which longer histories are not measured."""


@check(
    remedy="allow for a range of width 0, and for a single choice",
)
def a_space_of_one_point_is_taken(subject: Subject) -> str | None:
    """A space of a single configuration is valid, and so is an axis of one point."""
    problems = [*gallery.one_point(subject), *gallery.with_axis_of_one_point(subject)]
    for problem, strategy in gallery.built(subject, problems):
        run = Simulator(strategy, problem).run(5)
        if not run.suggestions:
            raise Broken(f"it suggests nothing: {as_text(run.answers[0][0])}\n{details(problem)}")
        _require_in_space(run, problem)
        for answer, is_running in run.answers:
            if not isinstance(answer, Start | Resume | Exhausted) and not is_running:
                raise Broken(f"it waits although no job is running\n{details(problem)}")
    return None


@check(
    remedy="let the cost grow with the number of parameters, not with that of configurations",
)
def two_hundred_parameters_are_taken(subject: Subject) -> str | None:
    """A space of 200 parameters is valid."""
    problem = gallery.many_parameters(subject)
    began = time.perf_counter()
    run = Simulator(subject.make(problem), problem).run(5)
    _require_in_space(run, problem)
    return f"{(time.perf_counter() - began) / 5 * 1000:.3g} ms a job"


@check(
    remedy="let the cost of an ask not grow with the square of the number of choices",
)
def thousands_of_choices_are_taken(subject: Subject) -> str | None:
    """A parameter may have thousands of choices."""
    problem = gallery.many_choices(subject)
    began = time.perf_counter()
    run = Simulator(subject.make(problem), problem).run(20)
    _require_in_space(run, problem)
    return f"{(time.perf_counter() - began) / 20 * 1000:.3g} ms a job"


@check(
    remedy="keep integers as int: a float has 53 bits; if that is not possible, reject such "
    "ranges with InvalidInput",
)
def large_integers_are_exact(subject: Subject) -> str | None:
    """Integers beyond 2^53 are suggested and adopted exactly, or rejected."""
    for problem, strategy in gallery.built(subject, gallery.large_integers(subject)):
        run = Simulator(strategy, problem)
        for number in range(5):
            run.run(6)
            run.adopt(Start(drawn_configuration(problem.space, number)))
        _require_in_space(run.run(6), problem)
    return None


def _require_in_space(run: Simulator, problem: Problem) -> None:
    for suggestion in run.suggestions:
        configuration = suggestion.configuration
        if configuration is not None and (faults := problem.space.wrong(configuration)):
            raise Broken(f"it suggests a point outside the space: {faults[0]}\n{details(problem)}")


@check(
    remedy="make the options a msgspec.Struct with frozen=True, forbid_unknown_fields=True and a "
    "typed field for each",
)
def unknown_options_are_refused(subject: Subject) -> str | None:
    """An unknown option is rejected, with the nearest known one."""
    options = subject.options
    if options is None:
        raise NotApplicable("the type of its options is not given")
    if not (isinstance(options, type) and issubclass(options, msgspec.Struct)):
        raise Broken(f"its options are {options!r}, not a msgspec.Struct")
    if not options.__struct_config__.frozen:
        raise Broken(f"{options.__name__} can be changed: it is not frozen")
    misspelt = "no_such_option"
    try:
        msgspec.convert({misspelt: 1}, options)
    except msgspec.ValidationError as error:
        if misspelt not in str(error) and not read(options, {misspelt: 1})[1]:
            raise Broken(f"the error for an unknown option does not name it: {error}") from error
    else:
        raise Broken(f"{options.__name__} accepts the unknown option {misspelt}=1")
    return None


@check(
    remedy="",
)
def cost_of_an_ask(subject: Subject) -> str | None:
    """Time of an ask, as the history grows (a figure, never a failure)."""
    problem = gallery.large(subject)
    run = Simulator(subject.make(problem), problem)
    figures = []
    for size in HISTORIES:
        while run.next_trial <= size:
            run.adopt(Start(drawn_configuration(problem.space, run.next_trial)))
            run.finish(run.running[-1])
        milliseconds = _cost(run) * 1000
        figures.append(f"{milliseconds:.2g} ms after {size:,}")
        if milliseconds > PATIENCE * 1000 and size != HISTORIES[-1]:
            figures.append("longer histories are not measured")
            break
    return ", ".join(figures)


def _cost(run: Simulator) -> float:
    """Return the seconds that an ask takes, the median of a few."""
    costs = []
    for _ in range(5):
        began = time.perf_counter()
        run.ask()
        costs.append(time.perf_counter() - began)
        for job in list(run.running):
            run.finish(job)
    return statistics.median(costs)
