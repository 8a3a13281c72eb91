"""hpbandster's generators of configurations, and their random streams.

There are two streams: that of the ConfigurationSpace, and numpy's global one. The model draws from
the latter when it picks and, with conditions in the space, when it is fitted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.exceptions import ForbiddenValueError

from hpo_bohb.masters import quiet
from hpo_core.plugin import drawing_from, generator_to_json, set_generator


class Pick(NamedTuple):
    """A configuration that hpbandster picked.

    Attributes:
        natives: The configuration as natives of ConfigSpace.
        is_model_based: Whether it comes from the model.
        failure: The error of the model's pick, if a random pick had to replace it.
    """

    natives: Mapping[str, Any]
    is_model_based: bool
    failure: str | None


class Sampler:
    """Draws configurations, and learns from results.

    Args:
        generator: hpbandster's generator.
        configspace: The space to draw from.
        seed: The seed of the stream that replaces numpy's global one, from which hpbandster and
            scipy draw; below 2^32.
    """

    def __init__(self, generator: Any, configspace: ConfigurationSpace, seed: int) -> None:
        self._generator = generator
        self._generator.logger = self._ear = _Ear()
        self._configspace = configspace
        self._stream = np.random.RandomState(seed)
        self._models: Mapping[float, Any] | None = getattr(generator, "kde_models", None)
        self._before_the_fit: dict[str, Any] | None = None

    def draw(self, budget: float) -> Pick:
        """Draw a configuration to run first on the given budget."""
        self._ear.failure = None
        with drawing_from(self._stream), quiet():
            natives, info = self._generator.get_config(budget)
        failure = self._ear.failure
        is_model_based = bool(info.get("model_based_pick")) and failure is None
        return Pick(natives, is_model_based, failure if self._models else None)

    def learn(self, result: Any) -> None:
        """Learn from a result, hpbandster's `Job`; this refits the model of its budget."""
        before, model = generator_to_json(self._stream), self._largest_model()
        with drawing_from(self._stream), quiet():
            self._generator.new_result(result)
        if self._largest_model() is not model:
            has_drawn = generator_to_json(self._stream) != before
            self._before_the_fit = before if has_drawn else None

    def _largest_model(self) -> Any:
        """The model to draw from: that of the largest budget with a model."""
        return self._models[max(self._models)] if self._models else None

    # -- recovery ---------------------------------------------------------------------------

    def save(self) -> dict[str, Any]:
        """Return the state that does not follow from the results: the streams, and the current
        model.

        If the last fit drew random numbers, for values of inactive parameters, the state includes
        the stream before that fit.
        """
        state: dict[str, Any] = {"space": generator_to_json(self._configspace.random)}
        if self._models is not None:
            state["numpy"] = generator_to_json(self._stream)
            state["model"] = float(max(self._models)) if self._models else None
            state["before_the_fit"] = self._before_the_fit
        return state

    def restore(self, state: Mapping[str, Any], results: Sequence[Any]) -> None:
        """Register past results, and restore a state that `save` returned.

        Only the last fit of the largest budget with a model is repeated: hpbandster uses no other
        model, and ignores results of smaller budgets from then on.
        """
        largest = state.get("model")
        fitted = [result for result in results if result.kwargs["budget"] == largest][-1:]
        if (before := state.get("before_the_fit")) is not None:
            set_generator(self._stream, before)
        self._before_the_fit = before
        with drawing_from(self._stream), quiet():
            for result in results:
                self._generator.new_result(result, update_model=result in fitted)
        if "numpy" in state:
            set_generator(self._stream, state["numpy"])
        set_generator(self._configspace.random, state["space"])


class _Ear:
    """Replaces hpbandster's logger: records failures without printing them.

    hpbandster catches every exception in a pick, logs it, and picks at random.
    """

    def __init__(self) -> None:
        self.failure: str | None = None

    def debug(self, *_: object) -> None:
        pass

    def warning(self, message: str, *_: object) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, Exception):
            raise error  # Ctrl-C or similar, which hpbandster would swallow
        if error is not None and "random configuration" in message:
            said = " ".join(str(error).split())
            self.failure = (
                "it is a forbidden combination"
                if isinstance(error, ForbiddenValueError)
                else f"{type(error).__name__}: {said}"
            )
