"""Scalars in events, as the writers of several libraries store them.

PyTorch and tensorboardX store a ``simple_value``, TensorFlow 2 and Keras a tensor without
dimensions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

_FORMATS = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}
"""Formats of the contents of tensors: float, double, int32, int64."""

_FIELDS = {1: "float_val", 2: "double_val", 3: "int_val", 9: "int64_val"}


def scalars(event: Any) -> Iterator[tuple[str, float]]:
    """Yield the tags of an event's scalars with their values."""
    for value in event.summary.value:
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            yield value.tag, value.simple_value
        elif kind == "tensor" and value.metadata.plugin_data.plugin_name in ("", "scalars"):
            number = _number(value.tensor)
            if number is not None:
                yield value.tag, number


def _number(tensor: Any) -> float | None:
    """Return the only number of a tensor; None for any other tensor."""
    if tensor.dtype not in _FORMATS or tensor.tensor_shape.dim:
        return None
    form = _FORMATS[tensor.dtype]
    if len(tensor.tensor_content) == struct.calcsize(form):
        return float(struct.unpack(form, tensor.tensor_content)[0])
    numbers = getattr(tensor, _FIELDS[tensor.dtype])
    return float(numbers[0]) if len(numbers) == 1 else None
