"""Where configurations come from: hpbandster's generators, and all that is random about them.

There are two streams: the ConfigurationSpace's, and numpy's global one, which the model draws from,
both when it picks and, under conditions, when it is fitted.
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
    """A configuration as hpbandster picked it.

    Attributes:
        natives: The configuration, as ConfigSpace has it.
        is_model_based: Whether it comes from the model.
        failure: What was wrong with the model's pick, if there was a model and a random pick
            had to take its place.
    """

    natives: Mapping[str, Any]
    is_model_based: bool
    failure: str | None


class Sampler:
    """Draws configurations, and learns from results.

    Args:
        generator: hpbandster's.
        configspace: What it draws from.
        seed: The seed of the stream that stands for numpy's global one, which hpbandster and scipy
            draw from; as numpy's old generators take it, below 2^32.
    """

    def __init__(self, generator: Any, configspace: ConfigurationSpace, seed: int) -> None:
        self._generator = generator
        self._generator.logger = self._ear = _Ear()
        self._configspace = configspace
        self._stream = np.random.RandomState(seed)
        self._models: Mapping[float, Any] | None = getattr(generator, "kde_models", None)
        self._before_the_fit: dict[str, Any] | None = None

    def draw(self, budget: float) -> Pick:
        """Draw a configuration that is to be run on a budget first."""
        self._ear.failure = None
        with drawing_from(self._stream), quiet():
            natives, info = self._generator.get_config(budget)
        failure = self._ear.failure
        is_model_based = bool(info.get("model_based_pick")) and failure is None
        return Pick(natives, is_model_based, failure if self._models else None)

    def learn(self, result: Any) -> None:
        """Learn from a result, hpbandster's `Job`; this fits the model of its budget again."""
        before, model = generator_to_json(self._stream), self._largest_model()
        with drawing_from(self._stream), quiet():
            self._generator.new_result(result)
        if self._largest_model() is not model:
            has_drawn = generator_to_json(self._stream) != before
            self._before_the_fit = before if has_drawn else None

    def _largest_model(self) -> Any:
        """The only one that is drawn from: that of the largest budget that has one."""
        return self._models[max(self._models)] if self._models else None

    # -- recovery ---------------------------------------------------------------------------

    def save(self) -> dict[str, Any]:
        """Return what the results don't say: where the streams are, and which model there is.

        Where the last fit has drawn, since values of inactive parameters had to be made up, the
        place of the stream before it is part of that.
        """
        state: dict[str, Any] = {"space": generator_to_json(self._configspace.random)}
        if self._models is not None:
            state["numpy"] = generator_to_json(self._stream)
            state["model"] = float(max(self._models)) if self._models else None
            state["before_the_fit"] = self._before_the_fit
        return state

    def restore(self, state: Mapping[str, Any], results: Sequence[Any]) -> None:
        """Register past results, and restore a state that `save` returned.

        One fit is made again, the last one of the largest budget that has a model: hpbandster
        reads no other, and takes no results of smaller budgets in from there on.
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

    hpbandster catches everything that goes wrong in a pick, logs it, and picks at random.
    """

    def __init__(self) -> None:
        self.failure: str | None = None

    def debug(self, *_: object) -> None:
        pass

    def warning(self, message: str, *_: object) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, Exception):
            raise error  # Ctrl-C, or the like: hpbandster would swallow it
        if error is not None and "random configuration" in message:
            said = " ".join(str(error).split())
            self.failure = (
                "it is a forbidden combination"
                if isinstance(error, ForbiddenValueError)
                else f"{type(error).__name__}: {said}"
            )
