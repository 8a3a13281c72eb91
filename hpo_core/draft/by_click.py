"""Arguments that a script declares with click's decorators."""

from __future__ import annotations

import ast
from typing import Any

from hpo_core.draft.argument import Argument, kind_of
from hpo_core.draft.source import Source, keyword, last_name

_RANGES = {"FloatRange": "float", "IntRange": "int"}
_TYPES = {"FLOAT": "float", "INT": "int", "STRING": "str", "BOOL": "bool", "Path": "Path"}


def by_click(source: Source) -> tuple[list[Argument], str]:
    """Return the arguments of click, and the name of the subcommand that they belong to."""
    commands = {
        function.name: function
        for function in source.defined()
        if any(last_name(each) == "command" for each in function.decorator_list)
        and any(last_name(each) in ("option", "argument") for each in function.decorator_list)
    }
    if not commands:
        return [], ""
    chosen = next(
        (name for name in commands if "train" in name or "fit" in name), next(iter(commands))
    )
    function = commands[chosen]
    arguments = [
        argument
        for each in function.decorator_list
        if isinstance(each, ast.Call)
        and last_name(each) in ("option", "argument")
        and (argument := _argument(source, each)) is not None
    ]
    return arguments, _subcommand(source, function)


def _subcommand(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the name of a command in a group; ``""`` for a single command."""
    for each in function.decorator_list:
        if last_name(each) == "command":
            call = each if isinstance(each, ast.Call) else None
            func = call.func if call else each
            owner = func.value.id if _is_attribute_of_name(func) else "click"  # type: ignore[attr-defined]
            if owner not in ("click", "rich_click") and owner in source.functions:
                given = source.plain(call.args[0]) if call and call.args else None
                return str(given or function.name.replace("_", "-"))
    return ""


def _is_attribute_of_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)


def _argument(source: Source, call: ast.Call) -> Argument | None:
    texts = [text for each in call.args if isinstance(text := source.plain(each), str)]
    if not texts:
        return None
    options = [text for text in texts if text.startswith("-")]
    option = next(
        (each for each in options if each.startswith("--")), options[0] if options else ""
    )
    named = next((text for text in texts if not text.startswith("-")), "")
    on, _, off = option.partition("/")
    name = (named or on.lstrip("-")).replace("-", "_").lower()
    default = source.plain(keyword(call, "default"))
    declared = keyword(call, "type")
    said = source.plain(keyword(call, "help"))
    about: dict[str, Any] = {
        "name": name,
        "option": on.strip(),
        "default": default,
        "help": said if isinstance(said, str) else "",
        "is_required": source.plain(keyword(call, "required")) is True
        or (not options and keyword(call, "default") is None),
    }
    if off or source.plain(keyword(call, "is_flag")) is True:
        return Argument(
            kind="flag", flag=(on.strip(), off.strip()), **{**about, "default": bool(default)}
        )
    if source.plain(keyword(call, "multiple")) is True or keyword(call, "nargs") is not None:
        return Argument(kind="list", **about)
    kind_name = last_name(declared)
    if isinstance(declared, ast.Call) and kind_name == "Choice" and declared.args:
        choices = source.plain(declared.args[0])
        if isinstance(choices, list):
            return Argument(kind="choice", choices=tuple(choices), **about)
    if isinstance(declared, ast.Call) and kind_name in _RANGES:
        ends = [source.plain(each) for each in declared.args]
        low, high = [*ends, None, None][:2]
        return Argument(
            kind=kind_of(None, _RANGES[kind_name]),
            low=source.plain(keyword(declared, "min")) if low is None else low,
            high=source.plain(keyword(declared, "max")) if high is None else high,
            **about,
        )
    kind = kind_of(default, _TYPES.get(kind_name, kind_name))
    if kind == "flag":
        flag = (f"{on.strip()}=true", f"{on.strip()}=false")
        return Argument(kind=kind, flag=flag, **about)
    return Argument(kind="text" if declared is None and kind == "unknown" else kind, **about)
