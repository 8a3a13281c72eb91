"""Arguments that libraries derive from the names and types in functions and dataclasses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from hpo_core.draft.argument import Argument, kind_of
from hpo_core.draft.source import Source, dotted, keyword, last_name


class Library(NamedTuple):
    """How a library turns names into options.

    Attributes:
        hyphens: Whether ``_`` in a name is ``-`` in its option.
        joined: Whether option and value are a single argument.

        on: The text for a flag that is on, from its option.
        off: The text for a flag that is off.
        positional: Whether an argument without a default has no option.
    """

    hyphens: bool
    joined: bool = False
    on: str = "{option}"
    off: str = "--no-{bare}"
    positional: bool = False


TYPER = Library(hyphens=True, positional=True)
TYRO = Library(hyphens=True)
FIRE = Library(hyphens=False, joined=True, on="{option}=True", off="{option}=False")
JSONARGPARSE = Library(hyphens=False, on="{option}=true", off="{option}=false", positional=True)
DATACLASS = Library(hyphens=False, on="{option}=True", off="{option}=False")

_ENTRIES = {
    "typer.run": TYPER, "tyro.cli": TYRO, "fire.Fire": FIRE, "Fire": FIRE, "CLI": JSONARGPARSE,
    "auto_cli": JSONARGPARSE, "jsonargparse.CLI": JSONARGPARSE,
    "jsonargparse.auto_cli": JSONARGPARSE, "HfArgumentParser": DATACLASS,
    "transformers.HfArgumentParser": DATACLASS, "simple_parsing.parse": DATACLASS,
    "TrlParser": DATACLASS, "H4ArgumentParser": DATACLASS,
}  # fmt: skip


_OF_TRANSFORMERS = (
    Argument(name="output_dir", option="--output_dir", kind="path", is_required=True),
    Argument(name="learning_rate", option="--learning_rate", kind="float", default=5e-5),
    Argument(name="weight_decay", option="--weight_decay", kind="float", default=0.0),
    Argument(
        name="per_device_train_batch_size",
        option="--per_device_train_batch_size",
        kind="int",
        default=8,
    ),
    Argument(name="num_train_epochs", option="--num_train_epochs", kind="float", default=3.0),
)
"""The relevant fields of transformers' ``TrainingArguments``, whose source is not read."""


def by_signature(source: Source) -> tuple[list[Argument], str]:
    """Return the arguments of the object that a library is called with, and the subcommand."""
    for call in source.calls():
        library = _ENTRIES.get(dotted(call.func))
        if library is None:
            continue
        if library is DATACLASS:
            found = [field for name in _names(call) for field in _fields(source, name, library)]
            if any(
                name.endswith("TrainingArguments") and name not in source.classes
                for name in _names(call)
            ):
                found += _OF_TRANSFORMERS
            if found:
                return found, ""
        elif call.args:
            found, command = _of_target(source, call.args[0], library)
            if found:
                return found, command
        elif library in (FIRE, JSONARGPARSE) and source.functions:
            return _of_functions(source, list(source.functions), library)
    return _of_typer_app(source)


def _of_target(source: Source, target: ast.expr, library: Library) -> tuple[list[Argument], str]:
    name = last_name(target)
    if isinstance(target, ast.Dict | ast.List | ast.Tuple):
        values = target.values if isinstance(target, ast.Dict) else target.elts
        keys = source.plain(target) if isinstance(target, ast.Dict) else None
        found, command = _of_functions(source, [last_name(each) for each in values], library)
        names = [last_name(each) for each in values]
        known = keys if isinstance(keys, list) else names
        return found, str(dict(zip(names, known, strict=False)).get(command, command))
    if name in source.functions:
        return list(_parameters(source, source.functions[name], library)), ""
    if name in source.classes:
        methods = {
            node.name: node
            for node in source.classes[name].body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        }
        if library in (FIRE, JSONARGPARSE) and methods and not _is_dataclass(source, name):
            chosen = _most_like_training(list(methods))
            return list(_parameters(source, methods[chosen], library)), chosen
        return list(_fields(source, name, library)), ""
    return [], ""


def _of_functions(source: Source, names: list[str], library: Library) -> tuple[list[Argument], str]:
    known = [name for name in names if name in source.functions]
    if not known:
        return [], ""
    chosen = _most_like_training(known)
    found = list(_parameters(source, source.functions[chosen], library))
    return found, chosen if len(names) > 1 else ""


def _of_typer_app(source: Source) -> tuple[list[Argument], str]:
    """Return the arguments of a typer application's command."""
    apps = {
        dotted(target)
        for node in source.walk()
        if isinstance(node, ast.Assign) and last_name(node.value) == "Typer"
        for target in node.targets
    }
    commands: dict[str, str] = {}
    for function in source.defined():
        for each in function.decorator_list:
            owner, _, what = dotted(each).rpartition(".")
            if what == "command" and owner in apps:
                given = (
                    source.plain(each.args[0]) if isinstance(each, ast.Call) and each.args else None
                )
                commands[function.name] = str(given or function.name.replace("_", "-"))
    if not commands:
        return [], ""
    chosen = _most_like_training(list(commands))
    found = list(_parameters(source, source.functions[chosen], TYPER))
    return found, commands[chosen] if len(commands) > 1 else ""


def _most_like_training(names: list[str]) -> str:
    words = ("train", "fit", "finetune", "main", "run")
    return next((name for word in words for name in names if word in name.lower()), names[0])


# -- what stands in them --------------------------------------------------------------------


def _parameters(
    source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef, library: Library
) -> Iterator[Argument]:
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    pairs = [*zip(positional, [*defaults, *given.defaults], strict=True)]
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    for parameter, default in pairs:
        if parameter.arg not in ("self", "cls", "ctx"):
            yield from _argument(source, parameter.arg, parameter.annotation, default, library)


def _names(call: ast.Call) -> list[str]:
    found: list[str] = []
    for each in call.args:
        items = each.elts if isinstance(each, ast.Tuple | ast.List) else [each]
        found += [last_name(item) for item in items]
    return found


def _is_dataclass(source: Source, name: str) -> bool:
    return any("dataclass" in dotted(each) for each in source.classes[name].decorator_list)


def _fields(
    source: Source, name: str, library: Library, seen: frozenset[str] = frozenset()
) -> Iterator[Argument]:
    """Yield the fields of a dataclass, including inherited ones."""
    cls = source.classes.get(name)
    if cls is None or name in seen:
        return
    fields = [
        (node, node.target.id)
        for node in cls.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    own = {field for _, field in fields}
    if any(last_name(base).endswith("TrainingArguments") for base in cls.bases):
        yield from (field for field in _OF_TRANSFORMERS if field.name not in own)
    for base in cls.bases:
        for field in _fields(source, last_name(base), library, seen | {name}):
            if field.name not in own:
                yield field
    for node, field_name in fields:
        yield from _argument(source, field_name, node.annotation, node.value, library)


def _argument(
    source: Source,
    name: str,
    annotation: ast.expr | None,
    default: ast.expr | None,
    library: Library,
) -> Iterator[Argument]:
    """Yield the argument that a library derives from a name; for a dataclass, its arguments."""
    annotation, extra = _without_annotated(annotation)
    about = extra if extra is not None else default
    has_default, said, low, high = default is not None, "", None, None
    value = default
    options: list[str] = []
    is_positional = library.positional and default is None and extra is None
    if isinstance(about, ast.Call) and last_name(about) in ("Option", "Argument", "field", "HfArg"):
        is_option = last_name(about) == "Option"
        is_positional = last_name(about) == "Argument"
        texts = [source.plain(each) for each in about.args]
        options = [text for text in texts if isinstance(text, str) and text.startswith("--")]
        if about is default:
            first = about.args[0] if about.args and is_option | is_positional else None
            value = keyword(about, "default") or first
            has_default = _has_default(value) or keyword(about, "default_factory") is not None
        said, low, high = _details(source, about)
    if _type_of(annotation) in source.classes and not _is_enum(source, _type_of(annotation)):
        for inner in _fields(source, _type_of(annotation), library):
            if library is TYRO or library is JSONARGPARSE:
                inside = f"--{_hyphened(name, library)}."
                option, on, off = (
                    text.replace("--", inside, 1) for text in (inner.option, *inner.flag)
                )
                yield msgspec.structs.replace(
                    inner, name=f"{name}.{inner.name}", option=option, flag=(on, off)
                )
        return
    option = "" if is_positional else _option(options, name, library)
    yield from _made(
        source, name, option, annotation, source.plain(value), library, has_default,
        low=low, high=high, help=said,
    )  # fmt: skip


def _made(
    source: Source,
    name: str,
    option: str,
    annotation: ast.expr | None,
    default: Any,
    library: Library,
    has_default: bool,
    **about: Any,
) -> Iterator[Argument]:
    about |= {
        "name": name,
        "option": option.partition("/")[0],
        "default": default,
        "is_required": not has_default,
        "joined": library.joined and bool(option),
    }
    choices = _choices(source, annotation)
    if choices:
        yield Argument(kind="choice", choices=choices, **about)
        return
    kind = kind_of(default, _type_of(annotation))
    if kind == "flag":
        on, _, off = option.partition("/")
        bare = on.lstrip("-")
        off = off or library.off.format(option=on, bare=bare)
        yield Argument(kind=kind, flag=(library.on.format(option=on), off), **about)
    elif _type_of(annotation).lower() in ("list", "tuple", "sequence"):
        yield Argument(kind="list", **about)
    else:
        yield Argument(kind=kind, **about)


def _option(options: list[str], name: str, library: Library) -> str:
    return options[0] if options else f"--{_hyphened(name, library)}"


def _hyphened(name: str, library: Library) -> str:
    return name.replace("_", "-") if library.hyphens else name


def _has_default(value: ast.expr | None) -> bool:
    return value is not None and not (isinstance(value, ast.Constant) and value.value is ...)


def _details(source: Source, call: ast.Call) -> tuple[str, float | None, float | None]:
    said = source.plain(keyword(call, "help"))
    metadata = keyword(call, "metadata")
    if said is None and isinstance(metadata, ast.Dict):
        pairs = zip(metadata.keys, metadata.values, strict=True)
        said = next((source.plain(v) for k, v in pairs if source.plain(k) == "help"), None)
    low, high = (source.plain(keyword(call, name)) for name in ("min", "max"))
    return said if isinstance(said, str) else "", low, high


def _without_annotated(node: ast.expr | None) -> tuple[ast.expr | None, ast.expr | None]:
    """Return the type in ``Annotated[type, extra]``, and ``extra`` if it is a call."""
    match node:
        case ast.Subscript(value=value, slice=ast.Tuple(elts=[inner, extra, *_])) if (
            last_name(value) == "Annotated"
        ):
            return inner, extra if isinstance(extra, ast.Call) else None
    return node, None


def _type_of(node: ast.expr | None) -> str:
    """Return the name of a type; of ``Optional[float]`` and ``float | None`` that of ``float``."""
    match node:
        case ast.Subscript(value=value, slice=inner):
            name = last_name(value)
            if name == "Optional":
                return _type_of(inner)
            if name == "Union" and isinstance(inner, ast.Tuple):
                return _type_of(inner.elts[0])
            return name
        case ast.BinOp(left=left, op=ast.BitOr()):
            return _type_of(left)
        case ast.Constant(value=str(text)):
            return text
    return last_name(node)


def _choices(source: Source, node: ast.expr | None) -> tuple[Any, ...]:
    match node:
        case ast.Subscript(value=value, slice=inner) if last_name(value) == "Literal":
            found = source.plain(inner)
            return tuple(found) if isinstance(found, list) else (found,)
        case ast.Subscript(value=value, slice=inner) if last_name(value) == "Optional":
            return _choices(source, inner)
    name = _type_of(node)
    if name in source.classes and _is_enum(source, name):
        values = [each.value for each in source.classes[name].body if isinstance(each, ast.Assign)]
        return tuple(source.plain(value) for value in values)
    return ()


def _is_enum(source: Source, name: str) -> bool:
    return any("Enum" in dotted(base) for base in source.classes[name].bases)
