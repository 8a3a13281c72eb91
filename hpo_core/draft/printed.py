"""Metrics that a script prints: the texts around numbers, and patterns for the numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from hpo_core.draft.metric_names import HELD_OUT, is_less, is_metric, unlikelihood, words_of
from hpo_core.draft.source import Source, keyword, last_name
from hpo_core.readers.lines import plain

NUMBER = r"([-+]?(?:[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|nan|inf))"
"""The pattern of a number."""

_PRINTS = (
    "print", "info", "write", "echo", "log", "debug", "warning", "set_postfix_str", "pprint",
    "set_description", "print_log", "master_print",
)  # fmt: skip
_HOLE = "\ue000"
_FIELD = re.compile(r"\{[^{}]*\}|%[-+ #0]*\d*(?:\.\d+)?[diouxXeEfFgGsr]")
_PASSING = re.compile(r"(?i)load|checkpoint|resum|best|finish|sav|early|start from|skip")
"""Words in lines that are not printed at each epoch."""


class Metric(NamedTuple):
    """A metric that a script prints.

    Attributes:
        name: A name for it.
        pattern: The pattern of its value in a line.
        line: The printed text, with numbers as ``…``.
        is_minimized: Whether lower is better.
    """

    name: str
    pattern: str
    line: str
    is_minimized: bool


class Found(NamedTuple):
    """The printed metrics of a script.


    Attributes:
        metrics: The metrics, the most likely objective first.
        iteration: A pattern for the iteration; None if it is not printed.
    """

    metrics: list[Metric]
    iteration: str | None


def printed(source: Source) -> Found:
    """Return the printed metrics of a script."""
    found = _by_libraries(source)
    if not found.metrics:
        found = _in_lines(_lines(source))
    if not found.metrics:  # the script may define its own function that prints
        others = _in_lines(_formatted(source))
        found = Found(others.metrics, found.iteration or others.iteration)
    return found


def _in_lines(lines: Iterable[str]) -> Found:
    metrics: dict[str, tuple[tuple[bool, bool], Metric]] = {}
    iteration: str | None = None
    for line in map(plain, lines):
        for before, label in _labels(line):
            epoch = re.search(r"(?i)\b(epoch|ep)\b[ :=#\[(]*$", before)
            if epoch is not None and not _PASSING.search(line):
                iteration = iteration or _pattern(epoch[0], r"(\d+)")
            elif (name := _metric_of(label)) is not None:
                found = Metric(name, _pattern(label, NUMBER), _shown(line), is_less(name))
                metrics.setdefault(name, (unlikelihood(before), found))
    ranked = sorted(metrics.values(), key=itemgetter(0))
    return Found([metric for _, metric in ranked], iteration)


def _by_libraries(source: Source) -> Found:
    """Return what the loops of keras and transformers print, which is not in the script."""
    imported = {
        name.partition(".")[0]
        for node in source.walk()
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    calls = {last_name(call) for call in source.calls()}
    if imported & {"keras", "tensorflow"} and "fit" in calls:
        fits = [call for call in source.calls() if last_name(call) == "fit"]
        held_out = ("validation_data", "validation_split")
        is_held_out = any(keyword(call, name) for call in fits for name in held_out)
        name = "val_loss" if is_held_out else "loss"
        pattern = rf"(?:^|[ -]){name}: {NUMBER}"
        return Found([Metric(name, pattern, f"- {name}: …", True)], r"Epoch (\d+)/\d+")
    if "transformers" in imported and any(name.endswith("Trainer") for name in calls):
        name = "eval_loss" if "evaluate" in calls else "train_loss"
        metric = Metric(name, rf"'{name}': '?{NUMBER}", f"{{'{name}': …}}", True)
        return Found([metric], None)
    return Found([], None)


def _labels(line: str) -> Iterator[tuple[str, str]]:
    """Yield for each number in a line the text before it, and the label that ends there."""
    *parts, _ = line.split(_HOLE)
    for part in parts:
        text = part.rpartition("\n")[2]
        label = re.split(r"[|,;\t]|\s{2,}| - |\)", text)[-1].lstrip()
        yield text, label[-40:]


def _metric_of(label: str) -> str | None:
    """Return the name of a metric if a label looks like one: ``Val loss: `` is ``val_loss``."""
    words = words_of(label)
    places = [place for place, word in enumerate(words) if is_metric(word)]
    if not places or re.search(r"[=:>(]\s*\$?$|\s$", label) is None:
        return None
    start = max(places[0] - 1, 0)
    before = [word for word in words[:start] if word.startswith((*HELD_OUT, "train"))]
    return "_".join([*before[:1], *words[start : places[-1] + 2]])


def _pattern(label: str, number: str) -> str:
    """Return a pattern for a label and the number after it, with any whitespace between."""
    pieces = re.split(r"\s+", label.strip())
    text = r"\s+".join(re.escape(piece).replace(r"\-", "-") for piece in pieces if piece)
    start = r"(?<!\w)" if text[:1].isalnum() else ""  # ``loss`` must not match ``val_loss``
    return rf"{start}{text}\s*{number}"


def _shown(line: str) -> str:
    text = " ".join(line.replace(_HOLE, "…").split())
    return text if len(text) <= 90 else f"{text[:89]}…"


def _formatted(source: Source) -> Iterator[str]:
    """Yield all format strings."""
    for node in source.walk():
        match node:
            case (
                ast.JoinedStr()
                | ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str()))
                | ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format"))
            ):
                yield _text(node)


# -- what is printed ------------------------------------------------------------------------


def _lines(source: Source) -> Iterator[str]:
    """Yield the printed texts, with a placeholder for each value."""
    for call in source.calls():
        if last_name(call) not in _PRINTS or not call.args:
            continue
        if last_name(call) == "print":
            between = source.plain(keyword(call, "sep"))
            yield (between if isinstance(between, str) else " ").join(map(_text, call.args))
        else:
            yield _text(call.args[0])


def _text(node: ast.expr) -> str:
    """Return the text that an expression prints, with placeholders."""
    match node:
        case ast.Constant(value=str(text)):
            return _FIELD.sub(_HOLE, text.replace("%%", "%"))
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=values):
            return "".join(
                str(value.value) if isinstance(value, ast.Constant) else _HOLE for value in values
            )
        case ast.BinOp(left=left, op=ast.Mod()):
            return _text(left)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case ast.Call(func=ast.Attribute(value=inner, attr="format" | "ljust" | "strip")):
            return _text(inner)
    return _HOLE
