"""Check the arguments of `Study` and `optimize`, with errors in Python terms.

Only faults that a study file cannot have are checked here. All others are found by the checks for
files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hpo_core.config import PluginChoice
from hpo_core.model.axis import Axis
from hpo_core.model.budget import Budget, not_a_budget
from hpo_core.model.checked import without_order
from hpo_core.model.constraint import Constraint
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.objective import Objective
from hpo_core.model.space import SearchSpace

_Arguments = Mapping[str, Any]
_NAMED = (str, Mapping, PluginChoice)


def argument_faults(given: _Arguments) -> list[Fault]:
    """Return the faults of the arguments' types.

    Args:
        given: The arguments of `Study`, except its store; omitted ones may be None.
    """
    unordered = [
        Fault(name, wrong)
        for name, value in given.items()
        if (wrong := without_order(value)) is not None
    ]
    return unordered or [fault for look in _LOOKS for fault in look(given)]


@contextmanager
def told_in_python(given: _Arguments) -> Iterator[None]:
    """Convert faults of a study file's keys to faults of the corresponding arguments."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput([_in_python(fault, given) for fault in error.faults]) from error


def _in_python(fault: Fault, given: _Arguments) -> Fault:
    tables = {"job": "", "strategy.options": "options", "backend.options": "backend_options"}
    if isinstance(given.get("objective"), str):
        tables |= {"objective.metric": "objective", "objective": ""}
    for table, argument in tables.items():
        if fault.path.startswith(f"{table}."):
            rest = fault.path[len(table) + 1 :]
            return Fault(f"{argument}.{rest}" if argument else rest, fault.message)
        if fault.path == table and argument:
            return Fault(argument, fault.message)
    return fault


# -- each argument --------------------------------------------------------------------------


def _function(given: _Arguments) -> Iterator[Fault]:
    function = given.get("function")
    if function is not None and not callable(function) and not isinstance(function, str):
        yield Fault("function", f"expected a function, got {function!r}")


def _parameters(given: _Arguments) -> Iterator[Fault]:
    parameters, such_as = given.get("parameters"), "Float('lr', 1e-4, 1e-1, log=True)"
    if isinstance(parameters, Axis):
        yield Fault("parameters", f"expected a list of parameters; write [{_call(parameters)}]")
    elif isinstance(parameters, SearchSpace) or _are_tables(parameters):
        return
    elif not isinstance(parameters, list | tuple):
        message = f"expected a list of parameters, such as [{such_as}], got {_brief(parameters)}"
        yield Fault("parameters", message)
    else:
        for index, each in enumerate(parameters):
            if not isinstance(each, Axis):
                message = f"expected a parameter, such as {such_as}, got {_brief(each)}"
                yield Fault(f"parameters[{index}]", message)


def _objective(given: _Arguments) -> Iterator[Fault]:
    objective, direction = given.get("objective"), given.get("direction")
    remedy = "such as objective='loss', direction='minimize'"
    if isinstance(objective, str):
        return
    if direction is not None:
        yield Fault("direction", "the objective has its own; leave this out")
    if isinstance(objective, Objective | Mapping):
        return
    if not isinstance(objective, list | tuple):
        yield Fault("objective", f"expected a metric's name, {remedy}, got {_brief(objective)}")
        return
    for index, each in enumerate(objective):
        if not isinstance(each, Objective | Mapping):
            message = f"expected an Objective, got {each!r}; for one objective give its name alone"
            yield Fault(f"objective[{index}]", f"{message}, {remedy}")


def _budget(given: _Arguments) -> Iterator[Fault]:
    budget = given.get("budget")
    if budget is not None and not isinstance(budget, Budget | Mapping):
        yield Fault("budget", not_a_budget(budget))


def _strategy(given: _Arguments) -> Iterator[Fault]:
    strategy, such_as = given.get("strategy"), "such as 'random'"
    if isinstance(strategy, type):
        name = strategy.__name__
        yield Fault("strategy", f"expected an instance, got the class {name}; write {name}(...)")
    elif isinstance(strategy, str):
        return
    elif strategy is None or not callable(getattr(strategy, "ask", None)):
        message = f"expected a name, {such_as}, or a strategy instance, got {_brief(strategy)}"
        yield Fault("strategy", message)
    elif given.get("options"):
        message = "are for a strategy that is given by its name; give them to the instance"
        yield Fault("options", message)


def _backend(given: _Arguments) -> Iterator[Fault]:
    backend = given.get("backend", "local")
    if not isinstance(backend, str):
        yield Fault("backend", f"expected a name, such as 'local', got {_brief(backend)}")


def _observers(given: _Arguments) -> Iterator[Fault]:
    observers = given.get("observers")
    if isinstance(observers, str):
        yield Fault("observers", f"expected a list; write [{observers!r}]")
        return
    if observers is not None and not hasattr(observers, "__iter__"):
        yield Fault("observers", f"expected a list of observers, got {_brief(observers)}")
        return
    for index, each in enumerate(observers if isinstance(observers, list | tuple) else ()):
        if isinstance(each, type):
            message = (
                f"expected an instance, got the class {each.__name__}; write {each.__name__}()"
            )
            yield Fault(f"observers[{index}]", message)
        elif not isinstance(each, str | Mapping | PluginChoice) and not callable(
            getattr(each, "observe", None)
        ):
            what = "an object with a method observe(event), or a plugin's name"
            message = f"expected {what}, got {_brief(each)}"
            yield Fault(f"observers[{index}]", message)


def _constraints(given: _Arguments) -> Iterator[Fault]:
    constraints = given.get("constraints") or ()
    if isinstance(constraints, str | Constraint):
        yield Fault("constraints", f"expected a list; write [{_call(constraints)}]")
        return
    for index, each in enumerate(constraints if isinstance(constraints, list | tuple) else ()):
        if not isinstance(each, str | Constraint | Mapping):
            message = "expected a metric's name or a Constraint, such as Constraint('memory', 16)"
            yield Fault(f"constraints[{index}]", f"{message}, got {_brief(each)}")


def _enqueue(given: _Arguments) -> Iterator[Fault]:
    enqueue = given.get("enqueue") or ()
    if isinstance(enqueue, Mapping):
        yield Fault("enqueue", f"expected a list of configurations; write [{dict(enqueue)!r}]")
        return
    for index, each in enumerate(enqueue if isinstance(enqueue, list | tuple) else ()):
        if not isinstance(each, Mapping):
            message = f"expected a configuration, such as {{'lr': 0.01}}, got {_brief(each)}"
            yield Fault(f"enqueue[{index}]", message)


_LOOKS = (
    _function, _parameters, _objective, _constraints, _budget, _strategy, _backend, _enqueue,
    _observers,
)  # fmt: skip


# -- formatting -------------------------------------------------------------------------------


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _are_tables(parameters: object) -> bool:
    return isinstance(parameters, Mapping) and all(map(_is_mapping, parameters.values()))


def _call(value: object) -> str:
    """Format a value as the start of a constructor call: ``Float('lr', ...)``."""
    if isinstance(value, str):
        return repr(value)
    name = getattr(value, "name", getattr(value, "metric", ""))
    return f"{type(value).__name__}({name!r}, ...)"


def _brief(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
