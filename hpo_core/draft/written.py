"""Metrics that a script writes: to a CSV or JSON file, or to TensorBoard's event files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from hpo_core.draft.metric_names import is_metric, unlikelihood, words_of
from hpo_core.draft.paths import FoundPath, Paths
from hpo_core.draft.source import Source, dotted, keyword, last_name

FILES = re.compile(r"(?i)\.(csv|jsonl|ndjson|json)$")
"""The names of files whose rows are read."""

_ITERATION = ("epoch", "epochs", "step", "iteration", "iter", "ep", "global_step")
_WRITERS = ("DictWriter", "writerow", "to_csv", "to_json", "dump", "dumps", "CSVLogger")


class Written(NamedTuple):
    """The metrics that a script writes.

    Attributes:
        place: The file, or the folder of event files, as in a study file.
        names: The columns or tags that are metrics, the most likely objective first.
        iteration: The column of the iteration; None if it has no such column.
        is_events: Whether they are in event files.
        is_delayed: Whether the script does not flush what it writes.
        is_sure: Whether the whole path was found in the script.
    """

    place: str
    names: list[str]
    iteration: str | None
    is_events: bool
    is_delayed: bool
    is_sure: bool


def written(source: Source, given: Mapping[str, str]) -> Written | None:
    """Return what a script writes; None if nothing was found.

    Args:
        source: The script.
        given: The values of its arguments that name files or folders, by the argument's name.
    """
    paths = Paths(source, given)
    return _rows(source, paths) or _events(source, paths)


def _rows(source: Source, paths: Paths) -> Written | None:
    columns = _columns(source)
    names = [name for name in columns if _is_named(name)]
    file = next(iter(_files(source, paths)), None)
    if not names or file is None:
        return None
    place, mode = file
    flushes = {last_name(call) for call in source.calls()} & {"flush", "to_csv", "to_json"}
    return Written(
        place=place.text,
        names=sorted(names, key=unlikelihood),
        iteration=next((name for name in columns if name.lower() in _ITERATION), None),
        is_events=False,
        is_delayed=not flushes and "a" not in mode,
        is_sure=place.is_known,
    )


def _columns(source: Source) -> list[str]:
    """Return the columns of the first table that is written with a metric in it."""
    for found in _tables(source):
        if any(map(_is_named, found)):
            return found
    return []


def _tables(source: Source) -> Iterator[list[str]]:
    for call in source.calls():
        header: ast.expr | None = None
        match last_name(call), call.args:
            case "DictWriter", [_, header, *_]:
                pass
            case "DictWriter", _:
                header = keyword(call, "fieldnames")
            case "writerow", [header]:
                pass
            case "write", [ast.Constant(value=str(line))] if line.count(",") and "\n" in line:
                yield [name.strip() for name in line.split(",")]
        yield _texts(source.assigned(header))
    if {last_name(call) for call in source.calls()}.intersection(_WRITERS):
        for node in source.walk():
            if isinstance(node, ast.Dict):
                yield _texts(node)


def _texts(node: ast.expr | None) -> list[str]:
    """Return the texts of a list, or the keys of a dictionary, if all are constant."""
    match node:
        case ast.Dict(keys=items) | ast.List(elts=items) | ast.Tuple(elts=items):
            texts = [item.value for item in items if isinstance(item, ast.Constant)]
            named = [text for text in texts if isinstance(text, str)]
            return named if len(named) == len(items) else []
    return []


def _is_named(name: str) -> bool:
    return any(map(is_metric, words_of(name)))


def _files(source: Source, paths: Paths) -> Iterator[tuple[FoundPath, str]]:
    """Yield each file that is written, and its mode."""
    for call in source.calls():
        name, args, mode = last_name(call), list(call.args), "w"
        if name == "open":
            if isinstance(call.func, ast.Attribute) and dotted(call.func.value) not in ("io", "os"):
                args.insert(0, call.func.value)
            given = source.plain(args[1] if len(args) > 1 else keyword(call, "mode"))
            mode = given if isinstance(given, str) else "r"
        elif name not in ("to_csv", "to_json", "CSVLogger"):
            continue
        if not args or "r" in mode:
            continue
        found = paths.path(args[0])
        if FILES.search(found.text):
            yield found, mode


def _events(source: Source, paths: Paths) -> Written | None:
    writers = [call for call in source.calls() if last_name(call) == "SummaryWriter"]
    tags = _unique(
        call.args[0].value
        for call in source.calls()
        if last_name(call) == "add_scalar"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    )
    if not writers or not tags:
        return None
    folder = next(
        (
            value
            for value in (
                *writers[0].args[:1],
                keyword(writers[0], "log_dir"),
                keyword(writers[0], "logdir"),
            )
            if value is not None
        ),
        None,
    )
    place = "runs/*" if folder is None else paths.path(folder).folder()
    is_flushed = any(last_name(call) == "flush" for call in source.calls())
    return Written(
        place=place,
        names=sorted(tags, key=lambda tag: (not _is_named(tag), *unlikelihood(tag))),
        iteration=None,
        is_events=True,
        is_delayed=not is_flushed and keyword(writers[0], "flush_secs") is None,
        is_sure=True,
    )


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
