"""The fuzzer's data: anything, valid data with changes, and bytes.

Running the data does no harm: texts that may become a program or a path are words of the list
below, or random.
"""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

STUDY = """
name = "s"
seed = 7
workers = 2
strategy = { name = "random", options = {} }
backend = "inline"
observers = []
job_name = "{name}-{trial_id}-{lr:.2g}"
tags = ["a", "b"]
max_failures = 3
durability = "normal"
enqueue = [{ model = "linear", lr = 0.01, scaler = "none", width = 32, height = 16, fixed = 1 }]

[objective]
metric = "loss"
direction = "minimize"
value = "best"

[budget]
trials = 30
jobs = 8
iterations = 2000
compute_time = "1h"
wall_time = "10m"
count = "launched"

[job]
function = "fuzz_target:fit"
directory = "."
time_limit = "2m"
min_iterations = 1
max_iterations = 27
retries = 1
grace = 0.1

[parameters.model]
type = "categorical"
choices = ["tree", "linear"]
default = "tree"

[parameters.lr]
type = "float"
low = 1e-4
high = 1e-1
log = true

[parameters.depth]
type = "int"
low = 1
high = 9
step = 2
when = { model = "tree" }

[parameters.scaler]
type = "categorical"
choices = ["standard", "none"]

[parameters.size]
type = "set"
combinations = [{ width = 16, height = 16 }, { width = 32, height = 16 }]

[parameters.fixed]
type = "constant"
value = 1

[[forbidden]]
model = "tree"
scaler = "none"
"""

WORDS = (
    "", " ", "x", "lr", "model", "tree", "name", "type", "low", "high", "when", "loss", "random",
    "grid", "process", "optuna:tpe", "no:such", "local", "inline", "minimize", "maximize", "best",
    "float", "int", "categorical", "constant", "set", "{lr}", "{", "}", "{lr:.3g}", "{python}",
    "{trial_id!r}", "{lr.__class__}", "{0}", "%s", "1h", "10m", "-1s", "1e400", "nan", "inf",
    "true", "null", "[]", "{}", "0x10", "1_000", "fuzz_target:fit", "fuzz_target:", ":", ".", "..",
    "é", "日本", "\u202e", "\u2028", "\x1b[2J", "[red]x[/red]", "=1+1", "-x", "--", "a\nb", "a\rb",
    "\t", "x" * 300,
)  # fmt: skip

NUMBERS = (
    0, 1, -1, 2, 7, 100, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 0.0, -0.0,
    0.5, 1e-320, 1e308, -1e308, 1e18, math.nan, math.inf, -math.inf,
)  # fmt: skip

leaves = (
    st.none()
    | st.booleans()
    | st.sampled_from(WORDS)
    | st.sampled_from(NUMBERS)
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
)
"""Values without parts; texts may hold any character, halves of one too."""

anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
"""Any plain value."""


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Return each container of a tree with each key, the outer ones first."""
    found: list[tuple[Any, Any]] = []
    level = [tree]
    while level and len(found) < 1000:
        here = [
            (one, key)
            for one in level
            for key in (list(one) if isinstance(one, dict) else range(len(one)))
        ]
        level = [one[key] for one, key in here if isinstance(one[key], dict | list)]
        found += here
    return found


@st.composite
def changed(draw: Callable[..., Any], whole: Any) -> Any:
    """Draw a tree in which one to three things are changed."""
    tree = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        if not isinstance(tree, dict | list) or not tree:
            return draw(anything)
        found = places(tree)
        container, key = found[draw(st.integers(0, len(found) - 1))]
        kind = draw(st.sampled_from(["put", "put", "put", "drop", "rename", "twice", "deep"]))
        if kind == "put":
            container[key] = draw(anything)
        elif kind == "deep":
            value = container[key]
            for _ in range(draw(st.sampled_from([2, 40, 2000]))):
                value = [value]
            container[key] = value
            break
        elif kind == "drop":
            del container[key]
        elif isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        else:
            container[draw(st.sampled_from(WORDS) | st.text(max_size=6))] = (
                container[key] if kind == "twice" else container.pop(key)
            )
    return tree


def as_json(tree: Any) -> str:
    """Return a tree as JSON, however deep."""
    try:
        return json.dumps(tree)
    except RecursionError:
        return "[" * 100_000
    except TypeError:  # a key that is no text
        return repr(tree)


@st.composite
def torn(draw: Callable[..., Any], text: str) -> bytes:
    """Draw a text in which lines, words and bytes are changed, as bytes."""
    lines = text.splitlines(keepends=True) or [""]
    seed = draw(st.integers(0, 2**32))
    chance = random.Random(seed)
    for _ in range(draw(st.integers(1, 3))):
        at = chance.randrange(len(lines))
        match draw(st.sampled_from(["drop", "twice", "swap", "word", "cut", "insert"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "twice":
                lines.insert(chance.randrange(len(lines)), lines[at])
            case "swap":
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case "word":
                head, equals, _ = lines[at].partition("=")
                value = draw(st.sampled_from(WORDS).map(json.dumps) | leaves.map(as_json))
                lines[at] = f"{head}{equals or '='} {value}\n"
            case "cut":
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case "insert":
                lines.insert(at, draw(st.text(max_size=20)) + "\n")
    data = "".join(lines).encode(errors="surrogatepass")
    if draw(st.integers(0, 9)) == 0 and data:
        at = chance.randrange(len(data))
        data = data[:at] + draw(st.binary(min_size=1, max_size=4)) + data[at + 1 :]
    return data
