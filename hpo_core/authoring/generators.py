"""Save and restore the exact state of a random generator as plain JSON, without pickle.

Supports generators of `random`, numpy and PyTorch, without importing them.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from typing import Any

WORDS = 624
"""Number of 32-bit words in the state of a Mersenne Twister."""


def generator_to_json(generator: Any) -> dict[str, Any]:
    """Return the state of a generator as plain JSON, about 3 KB for a Mersenne Twister.

    Args:
        generator: A `random.Random`, `numpy.random.RandomState`, `numpy.random.Generator` or
            `torch.Generator`.

    Raises:
        TypeError: If the generator is of another type.
    """
    match _kind(generator):
        case "random":
            _, words, gauss = generator.getstate()
            key = b"".join(word.to_bytes(4, "little") for word in words[:WORDS])
            return {"key": _text(key), "pos": words[WORDS], "gauss": gauss}
        case "numpy.legacy":
            state = generator.get_state(legacy=False)
            return {
                "key": _text(state["state"]["key"].astype("<u4").tobytes()),
                "pos": int(state["state"]["pos"]),
                "has_gauss": int(state["has_gauss"]),
                "gauss": float(state["gauss"]),
            }
        case "numpy":
            encoded: dict[str, Any] = _encoded(generator.bit_generator.state)
            return encoded
        case _:
            return {"torch": _text(generator.get_state().numpy().tobytes())}


def set_generator(generator: Any, saved: Mapping[str, Any]) -> None:
    """Restore the state of a generator that `generator_to_json` returned.

    Args:
        generator: A generator of the same type, changed in place.
        saved: The return value of `generator_to_json`.

    Raises:
        TypeError: If the generator is of an unknown type.
    """
    match _kind(generator):
        case "random":
            key = _bytes(saved["key"])
            words = [int.from_bytes(key[at : at + 4], "little") for at in range(0, len(key), 4)]
            generator.setstate((3, (*words, saved["pos"]), saved["gauss"]))
        case "numpy.legacy":
            import numpy as np

            key = _bytes(saved["key"])
            array = np.frombuffer(key, "<u4").astype(np.uint32)
            generator.set_state(
                ("MT19937", array, saved["pos"], saved["has_gauss"], saved["gauss"])
            )
        case "numpy":
            generator.bit_generator.state = _decoded(saved)
        case _:
            import numpy as np
            import torch  # type: ignore[import-not-found]  # imported by the generator

            data = np.frombuffer(_bytes(saved["torch"]), np.uint8).copy()
            generator.set_state(torch.from_numpy(data))


def _kind(generator: Any) -> str:
    if isinstance(generator, random.Random):
        return "random"
    home, name = type(generator).__module__.partition(".")[0], type(generator).__name__
    if home == "numpy" and hasattr(generator, "get_state"):
        return "numpy.legacy"
    if home == "numpy" and hasattr(generator, "bit_generator"):
        return "numpy"
    if home == "torch" and name == "Generator":
        return "torch"
    raise TypeError(
        f"{generator!r} is not a random generator that can be saved; give a random.Random, "
        "numpy.random.RandomState, numpy.random.Generator or torch.Generator"
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(saved: str | Mapping[str, Any]) -> bytes:
    """Decode bytes saved as text, or in the format of hpo-optuna 0.1."""
    return base64.b64decode(saved if isinstance(saved, str) else saved["base64"])


def _encoded(state: Any) -> Any:
    """Encode the state of a numpy bit generator as JSON, which has neither arrays nor 128-bit
    integers.
    """
    if isinstance(state, dict):
        return {name: _encoded(part) for name, part in state.items()}
    if hasattr(state, "dtype") and state.ndim:
        little = state.astype(state.dtype.newbyteorder("<"))
        return {"array": little.dtype.str, "base64": _text(little.tobytes())}
    return state if isinstance(state, str) else hex(int(state))


def _decoded(saved: Any) -> Any:
    if isinstance(saved, Mapping):
        if "base64" in saved:
            import numpy as np

            array = np.frombuffer(_bytes(saved), saved["array"])
            return array.astype(array.dtype.newbyteorder("="))
        return {name: _decoded(part) for name, part in saved.items()}
    return int(saved, 16) if saved.startswith("0x") else saved
