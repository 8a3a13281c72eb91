"""Parse arguments of the form KEY=VALUE."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.space import SearchSpace
from hpo_core.model.text import some
from hpo_core.model.values import Configuration


def options_of(words: Iterable[str]) -> dict[str, Any]:
    """Parse the options of a strategy: each value as JSON if possible, else as a string.

    Raises:
        InvalidInput: With all arguments that are not KEY=VALUE.
    """
    return _read(words, lambda _, text: _json(text), "-o ", "points=5")


def configuration_of(space: SearchSpace, words: Iterable[str]) -> Configuration:
    """Parse a configuration: each value with its parameter's type.

    Raises:
        InvalidInput: With all its faults.
    """
    return space.configuration(values_of(space, words))


def values_of(space: SearchSpace, words: Iterable[str]) -> dict[str, Any]:
    """Parse values of some parameters, each with its parameter's type.

    Raises:
        InvalidInput: With all arguments that are not KEY=VALUE, or name no parameter.
    """

    def value(name: str, text: str) -> Any:
        if name not in space.by_name:
            known = nearest(name, space.by_name) or f"; there are {some([*space.by_name])}"
            raise ValueError(f"no such parameter{known}")
        return space.by_name[name].parse(text)

    return _read(words, value, "", "lr=0.01")


def _read(
    words: Iterable[str], value: Callable[[str, str], Any], option: str, example: str
) -> dict[str, Any]:
    """Return the values by key.

    Args:
        words: The arguments.
        value: Parses a key's value; raises ValueError with the fault.
        option: The option before each argument, for messages.
        example: A valid argument, for messages.
    """
    found: dict[str, Any] = {}
    faults = []
    for word in words:
        key, equals, text = word.partition("=")
        if not key or not equals:
            message = f"expected KEY=VALUE, such as {option}{example}"
            faults.append(Fault(f"{option}{word}", message))
            continue
        try:
            found[key] = value(key, text)
        except ValueError as error:
            faults.append(Fault(key, str(error)))
    if faults:
        raise InvalidInput(faults)
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
