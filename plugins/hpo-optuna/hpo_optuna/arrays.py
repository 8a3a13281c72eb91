"""numpy arrays and CMA-ES optimisers as plain JSON, and back bit for bit; no pickle is kept.

An array is its type, shape, order and bytes in base64. A CMA-ES optimiser is its class's name and
its attributes, but for the generator, which Optuna seeds again for each trial, and the history of
values, which Optuna does not read, and which begins as whatever was in memory.
"""

from __future__ import annotations

import base64
import importlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_UNREAD = "_funhist_values"


def array_to_json(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return an array as JSON."""
    little = array.astype(array.dtype.newbyteorder("<"))
    by_columns = array.ndim > 1 and not array.flags.c_contiguous  # sums depend on it
    return {
        "array": little.dtype.str,
        "shape": list(array.shape),
        "order": "F" if by_columns else "C",
        "base64": base64.b64encode(little.tobytes("F" if by_columns else "C")).decode(),
    }


def array_from_json(data: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Return the array of `array_to_json`, in this machine's order of bytes."""
    dtype = np.dtype(data["array"])
    flat = np.frombuffer(base64.b64decode(data["base64"]), dtype)
    native = flat.astype(dtype.newbyteorder("="))
    shaped: np.ndarray[Any, Any] = native.reshape(data["shape"], order=data["order"])
    return shaped


def optimizer_to_json(value: Any) -> Any:
    """Return a CMA-ES optimiser, or one of its attributes, as JSON.

    Raises:
        TypeError: For an attribute of a kind that no known version of cmaes has.
    """
    match value:
        case np.ndarray():
            return array_to_json(value)
        case np.generic():
            return {"scalar": array_to_json(np.asarray(value))}
        case float() if not math.isfinite(value):
            return {"float": repr(value)}
        case None | bool() | int() | float() | str():
            return value
        case _ if type(value).__module__.startswith("cmaes."):
            state = _state(value)
            return {
                "optimizer": type(value).__name__,
                "state": {
                    name: optimizer_to_json(each) for name, each in state.items() if name != _UNREAD
                },
            }
        case _:
            raise TypeError(f"{type(value).__name__} is not known of CMA-ES")


def optimizer_from_json(data: Any) -> Any:
    """Return what `optimizer_to_json` was given."""
    match data:
        case {"array": _}:
            return array_from_json(data)
        case {"scalar": scalar}:
            return array_from_json(scalar)[()]
        case {"float": text}:
            return float(text)
        case {"optimizer": str(name), "state": dict(state)}:
            return _optimizer(name, {key: optimizer_from_json(each) for key, each in state.items()})
        case _:
            return data


def _state(optimizer: Any) -> dict[str, Any]:
    own = getattr(type(optimizer), "__getstate__", None)
    has_own = own is not None and own is not getattr(object, "__getstate__", None)
    state: dict[str, Any] = optimizer.__getstate__() if has_own else vars(optimizer)
    return state


def _optimizer(name: str, state: dict[str, Any]) -> Any:
    if name not in ("CMA", "SepCMA", "CMAwM"):
        raise TypeError(f"{name} is not known of CMA-ES")
    kind = getattr(importlib.import_module("cmaes"), name)
    made = kind.__new__(kind)
    if "_funhist_term" in state:
        state[_UNREAD] = np.zeros(state["_funhist_term"] * 2)
    if hasattr(made, "__setstate__"):
        made.__setstate__(state)
    else:
        vars(made).update(state)
    return made
