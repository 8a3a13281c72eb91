"""Frozen structs that check their fields when made, and a reader that finds every fault at once.

`Checked` is the base of everything that a person writes, in Python or in a file: types are
checked field by field, then ``faults()`` checks ranges. `read` builds any struct from plain
data (a parsed file) and reports all faults together, each with its key's path.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from hpo_core.model.errors import Fault, InvalidInput, nearest

T = TypeVar("T", bound=msgspec.Struct)

_WORDS: Mapping[object, str] = {
    float: "a number",
    int: "a whole number",
    str: "text",
    bool: "true or false",
    type(None): "nothing",
}


class Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """A frozen struct whose fields are checked when it is made.

    Values are taken as their field's type (``1`` for a float becomes ``1.0``, a list a tuple).

    Raises:
        InvalidInput: With every field of a wrong type, or else everything `faults` returns.
    """

    def __post_init__(self) -> None:
        faults = []
        for field in msgspec.structs.fields(self):
            value = getattr(self, field.name)
            try:
                converted = msgspec.convert(value, field.type)
            except msgspec.ValidationError:
                faults.append(Fault(field.name, _wrong_type(field.type, value)))
            else:
                msgspec.structs.force_setattr(self, field.name, converted)
        faults = faults or self.faults()
        if faults:
            raise InvalidInput(faults)

    def faults(self) -> list[Fault]:
        """Return what is wrong beyond the fields' types; called once all types are right."""
        return []


def read(cls: type[T], data: object, path: str = "") -> tuple[T | None, list[Fault]]:
    """Build a struct from plain data, as parsed from a file.

    Args:
        cls: The struct's class; fields that are structs, tuples of structs and tagged unions
            of structs are read the same way.
        data: A mapping of the struct's fields.
        path: The key under which the data stands, for the faults.

    Returns:
        The struct and no faults, or None and every fault: unknown keys (with the nearest known
        one), missing keys, wrong types, and what the class itself finds.
    """
    if not isinstance(data, Mapping):
        return None, [Fault(path, f"expected a table, got {data!r}")]
    fields = {field.encode_name: field for field in msgspec.structs.fields(cls)}
    known = [*fields, *filter(None, [cls.__struct_config__.tag_field])]
    faults = [
        Fault(_join(path, str(key)), f"unknown key{nearest(str(key), fields) or _keys(fields)}")
        for key in data
        if key not in known
    ]
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in data:
            value, wrong = _read_value(field.type, data[name], _join(path, name))
            values[field.name] = value
            faults += wrong
        elif field.required:
            faults.append(Fault(_join(path, name), f"missing; give {_words(field.type)}"))
    if faults:
        return None, faults
    try:
        return cls(**values), []
    except InvalidInput as error:
        return None, [fault.under(path) for fault in error.faults]


def _read_value(kind: Any, value: object, path: str) -> tuple[object, list[Fault]]:
    structs = _structs(kind)
    if len(structs) > 1:
        return _read_tagged(structs, value, path)
    if structs and not (value is None and type(None) in typing.get_args(kind)):
        return read(structs[0], value, path)
    if typing.get_origin(kind) is tuple and _structs(typing.get_args(kind)[0]):
        return _read_sequence(typing.get_args(kind)[0], value, path)
    try:
        return msgspec.convert(value, kind), []
    except msgspec.ValidationError:
        return None, [Fault(path, _wrong_type(kind, value))]


def _read_sequence(kind: Any, value: object, path: str) -> tuple[object, list[Fault]]:
    if not isinstance(value, list | tuple):
        return None, [Fault(path, f"expected a list of tables, got {value!r}")]
    items, faults = [], []
    for position, item in enumerate(value):
        read_item, wrong = _read_value(kind, item, f"{path}[{position}]")
        items.append(read_item)
        faults += wrong
    return tuple(items), faults


def _read_tagged(
    structs: tuple[type[msgspec.Struct], ...], value: object, path: str
) -> tuple[object, list[Fault]]:
    if not isinstance(value, Mapping):
        return None, [Fault(path, f"expected a table, got {value!r}")]
    field = str(structs[0].__struct_config__.tag_field)
    by_tag = {str(struct.__struct_config__.tag): struct for struct in structs}
    tag = value.get(field)
    if tag not in by_tag:
        guess = nearest(tag, by_tag) if isinstance(tag, str) else ""
        said = f"{tag!r} is not one of" if field in value else "missing; give one of"
        return None, [Fault(_join(path, field), f"{said} {', '.join(by_tag)}{guess}")]
    return read(by_tag[tag], value, path)


@functools.cache
def _structs(kind: Any) -> tuple[type[msgspec.Struct], ...]:
    options = typing.get_args(kind) if _is_union(kind) else (kind,)
    return tuple(o for o in options if isinstance(o, type) and issubclass(o, msgspec.Struct))


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _words(kind: Any) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(repr(option) for option in typing.get_args(kind))
    if _is_union(kind):
        options = [o for o in typing.get_args(kind) if o is not type(None)]
        return " or ".join(dict.fromkeys(_words(option) for option in options))
    if typing.get_origin(kind) is tuple:
        return f"a list, each {_words(typing.get_args(kind)[0])}"
    return "a table"


def _wrong_type(kind: Any, value: object) -> str:
    guess = ""
    if typing.get_origin(kind) is typing.Literal and isinstance(value, str):
        guess = nearest(value, typing.get_args(kind))
    return f"expected {_words(kind)}, got {value!r}{guess}"


def _keys(fields: Mapping[str, object]) -> str:
    return f"; known: {', '.join(fields)}" if fields else "; this takes no keys"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
