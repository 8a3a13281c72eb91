"""Arguments that a script declares with argparse, or as flags of absl."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from hpo_core.draft.argument import Argument, Kind, kind_of
from hpo_core.draft.source import Source, dotted, keyword, last_name

_BOOLEAN_TYPES = ("bool", "str2bool", "strtobool", "boolean", "str_to_bool", "parse_bool")
_PATH_WORDS = ("dir", "path", "file", "folder", "root")


def by_argparse(source: Source) -> tuple[list[Argument], str]:
    """Return the arguments of argparse, and the name of the subcommand that they belong to.

    Of several subcommands, this is the one that trains, or else the first.
    """
    commands = _commands(source)
    names = list(dict.fromkeys(commands.values()))
    chosen = next((name for name in names if _trains(name)), names[0] if names else "")
    found: dict[str, Argument] = {}
    for call in source.calls():
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in (
            "add_argument",
            "add_arg",
        ):
            continue
        command = commands.get(dotted(call.func.value), "")
        if command in ("", chosen) and (argument := _argument(source, call)) is not None:
            found.setdefault(argument.name, argument)
    return list(found.values()), chosen


def _trains(name: str) -> bool:
    return any(word in name.lower() for word in ("train", "fit", "run"))


def _commands(source: Source) -> dict[str, str]:
    """Return the variables that hold parsers of subcommands, with the names of the subcommands."""
    found: dict[str, str] = {}
    for node in source.walk():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            call = node.value
            if last_name(call) == "add_parser" and call.args:
                name = source.plain(call.args[0])
                if isinstance(name, str):
                    found |= {dotted(target): name for target in node.targets}
            elif last_name(call) in ("add_argument_group", "add_mutually_exclusive_group"):
                parent = dotted(call.func).rpartition(".")[0]
                if parent in found:
                    found |= {dotted(target): found[parent] for target in node.targets}
    return found


def _argument(source: Source, call: ast.Call) -> Argument | None:
    given = [source.plain(each) for each in call.args]
    texts = [each for each in given if isinstance(each, str)]
    if not texts:
        return None
    options = [text for text in texts if text.startswith("-")]
    option = next(
        (each for each in options if each.startswith("--")), options[0] if options else ""
    )
    destination = source.plain(keyword(call, "dest"))
    name = str(destination or (option or texts[0]).lstrip("-")).replace("-", "_")
    default = source.plain(keyword(call, "default"))
    action = source.plain(keyword(call, "action")) or last_name(keyword(call, "action"))
    said = source.plain(keyword(call, "help"))
    about: dict[str, Any] = {
        "name": name,
        "option": option,
        "help": said if isinstance(said, str) else "",
    }
    match action:
        case "store_true":
            return Argument(kind="flag", default=False, flag=(option, ""), **about)
        case "store_false":
            return Argument(kind="flag", default=True, flag=("", option), **about)
        case "BooleanOptionalAction":
            flag = (option, f"--no-{option.lstrip('-')}")
            return Argument(kind="flag", default=default, flag=flag, **about)
        case "version" | "help" | "store_const" | "append_const" | "count":
            return None
    nargs = source.plain(keyword(call, "nargs"))
    about["is_required"] = source.plain(keyword(call, "required")) is True or (
        not option and keyword(call, "default") is None and nargs not in ("?", "*")
    )
    choices = source.plain(keyword(call, "choices"))
    if nargs not in (None, "?", 1) or action in ("append", "extend"):
        return Argument(kind="list", default=default, **about)
    if isinstance(choices, list) and len(choices) > 0:
        return Argument(kind="choice", default=default, choices=tuple(choices), **about)
    kind = _kind(keyword(call, "type"), name, default)
    if kind == "flag":
        return Argument(kind=kind, default=bool(default), flag=_words(option, default), **about)
    return Argument(kind=kind, default=default, **about)


def _words(option: str, default: Any) -> tuple[str, str]:
    return f"{option}=true", f"{option}=false"


def _kind(declared: ast.expr | None, name: str, default: Any) -> Kind:
    """Return the kind of an argument; without a type, argparse passes text."""
    if declared is None:
        is_path = any(name.lower().endswith(word) for word in _PATH_WORDS)
        return "path" if is_path else "text"
    named = last_name(declared)
    if named in _BOOLEAN_TYPES:  # ``bool`` itself converts "false" to True
        return "unknown" if named == "bool" else "flag"
    if isinstance(declared, ast.Lambda):
        inner = last_name(declared.body)
        return kind_of(default, inner) if inner in ("int", "float") else "unknown"
    kind = kind_of(default, named)
    return kind if kind != "unknown" or not isinstance(default, int | float) else kind_of(default)


_ABSL = {
    "DEFINE_float": "float", "DEFINE_integer": "int", "DEFINE_string": "text",
    "DEFINE_enum": "choice", "DEFINE_bool": "flag", "DEFINE_boolean": "flag",
    "DEFINE_list": "list", "DEFINE_multi_string": "list", "DEFINE_spaceseplist": "list",
}  # fmt: skip


def by_absl(source: Source) -> list[Argument]:
    """Return the flags of absl as arguments."""
    required = set(_required(source))
    found: dict[str, Argument] = {}
    for call in source.calls():
        kind = _ABSL.get(last_name(call))
        name = source.plain(call.args[0]) if call.args else source.plain(keyword(call, "name"))
        if kind is None or not isinstance(name, str):
            continue
        rest = [*call.args[1:], None, None, None]
        default = source.plain(rest[0] if rest[0] is not None else keyword(call, "default"))
        enum = rest[1] if rest[1] is not None else keyword(call, "enum_values")
        choices = source.plain(enum) if kind == "choice" else None
        said = source.plain(rest[2 if kind == "choice" else 1])
        found[name] = Argument(
            name=name,
            option=f"--{name}",
            kind=kind,  # type: ignore[arg-type]  # all of them are kinds
            default=default,
            choices=tuple(choices) if isinstance(choices, list) else (),
            low=_number(source.plain(keyword(call, "lower_bound"))),
            high=_number(source.plain(keyword(call, "upper_bound"))),
            is_required=name in required or source.plain(keyword(call, "required")) is True,
            flag=(f"--{name}", f"--no{name}") if kind == "flag" else ("", ""),
            joined=True,
            help=said if isinstance(said, str) else "",
        )
    return list(found.values())


def _required(source: Source) -> Iterator[str]:
    for call in source.calls():
        if last_name(call) in ("mark_flag_as_required", "mark_flags_as_required") and call.args:
            names = source.plain(call.args[0])
            yield from names if isinstance(names, list) else [str(names)]


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None
