"""Convert sweep overrides of Hydra to a search space, and configurations back to overrides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    Quote,
    QuotedString,
    RangeSweep,
)

from hpo_core import Categorical, Constant, Float, Int, InvalidInput
from hpo_core.plugin import Fault, Parameter, Value

LOG = "log"
"""The tag of a logarithmic scale."""


@dataclass
class SweepSpace:
    """The space of a sweep.

    Attributes:
        parameters: An axis for each swept key.
        fixed: The overrides that every job has.
        tags: Labels for the study: the tags of sweeps that have no meaning here, as ``KEY:TAG``.
        keys: The key of each axis as overrides write it, such as ``+lr``.
        texts: The override's text for each value of a choice.
    """

    parameters: list[Parameter] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    texts: dict[str, dict[tuple[type, Value], str]] = field(default_factory=dict)

    def overrides(self, configuration: Mapping[str, Value]) -> list[str]:
        """Return the overrides of a job with this configuration."""
        return [
            *self.fixed,
            *(self._override(name, value) for name, value in configuration.items()),
        ]

    def _override(self, name: str, value: Value) -> str:
        texts = self.texts.get(name)
        text = repr(value) if texts is None else texts[type(value), value]
        return f"{self.keys[name]}={text}"


def read_sweep(overrides: Iterable[Override]) -> SweepSpace:
    """Convert overrides; of several for the same key the last one counts.

    Raises:
        InvalidInput: With all faults, each with the override's key.
    """
    space = SweepSpace()
    faults: list[Fault] = []
    last = {override.get_key_element().lstrip("+"): override for override in overrides}
    for name, override in last.items():
        if not override.is_sweep_override():
            space.fixed.append(str(override.input_line))
            continue
        space.keys[name] = override.get_key_element()
        try:
            space.parameters.append(_axis(space, name, override))
        except InvalidInput as error:
            faults += [Fault(name, fault.message) for fault in error.faults]
    if not space.parameters and not faults:
        faults.append(
            Fault("params", "there is nothing to sweep over; try: lr=interval(0.001,0.1)")
        )
    if faults:
        raise InvalidInput(faults)
    return space


def _axis(space: SweepSpace, name: str, override: Override) -> Parameter:
    sweep = override.value()
    tags = set(sweep.tags) if isinstance(sweep, IntervalSweep | RangeSweep | ChoiceSweep) else set()
    space.tags += [f"{name}:{tag}" for tag in sorted(tags - {LOG})]
    if isinstance(sweep, IntervalSweep):
        return _interval(name, sweep, log=LOG in tags)
    if isinstance(sweep, RangeSweep):
        return _range(name, sweep, log=LOG in tags)
    if LOG in tags:
        raise InvalidInput([Fault(name, "a choice has no scale; leave out the tag log")])
    return _choice(space, name, override)


def _interval(name: str, sweep: IntervalSweep, *, log: bool) -> Parameter:
    """Convert ``interval(low, high)``; of integers only if it is cast: ``int(interval(1, 9))``."""
    low, high = sweep.start, sweep.end
    if isinstance(low, int) and isinstance(high, int):
        return Int(name, low, high, log=log)
    return Float(name, float(low or 0), float(high or 0), log=log)


def _range(name: str, sweep: RangeSweep, *, log: bool) -> Parameter:
    """Convert ``range(start, stop, step)``, whose end is excluded."""
    values = list(sweep.range())
    if not values:
        raise InvalidInput([Fault(name, "the range is empty")])
    if len(values) == 1:
        return Constant(name, values[0])
    low, high, step = min(values), max(values), abs(sweep.step)
    if isinstance(low, int) and isinstance(high, int) and isinstance(step, int):
        return Int(name, low, high, log=log, step=None if step == 1 else step)
    return Float(name, float(low), float(high), log=log, step=float(step))


def _choice(space: SweepSpace, name: str, override: Override) -> Parameter:
    values = [_plain(value) for value in override.sweep_iterator()]
    texts = [
        _unambiguous(value, text)
        for value, text in zip(values, override.sweep_string_iterator(), strict=True)
    ]
    choices = [
        text if value is _NOT_PLAIN else value for value, text in zip(values, texts, strict=True)
    ]
    space.texts[name] = {
        (type(choice), choice): text for choice, text in zip(choices, texts, strict=True)
    }
    if len(choices) == 1:
        return Constant(name, choices[0])
    return Categorical(name, tuple(choices))


_NOT_PLAIN: Any = object()


def _plain(element: Any) -> Any:
    """Return an element of a choice as a value of a parameter; lists and mappings are not."""
    if isinstance(element, QuotedString):
        return element.text
    if isinstance(element, float) and not math.isfinite(element):
        return _NOT_PLAIN
    return element if isinstance(element, str | int | float | bool | None) else _NOT_PLAIN


def _unambiguous(value: Any, text: str) -> str:
    """Return an override's text that Hydra reads as this value: ``'1'`` is text, ``1`` is not."""
    if not isinstance(value, str):
        return text
    read = OverridesParser.create().parse_override(f"key={text}").value()
    return text if read == value else QuotedString(value, Quote.single).with_quotes()
