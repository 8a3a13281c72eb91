"""Frozen structs that validate their fields, and a reader that reports all faults at once.

`Checked` is the base class of all user input, in Python or in a file: types are checked field by
field, then ``faults()`` checks ranges. `read` builds any struct from plain data (a parsed file) and
reports all faults together, each with its key's path.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import msgspec

from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.values import said

T = TypeVar("T", bound=msgspec.Struct)


class Checked(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True, repr_omit_defaults=True
):
    """A frozen struct whose fields are checked when it is made. Its repr omits default values.

    Values are converted to the type of their field: ``1`` for a float field becomes ``1.0``, and a
    list becomes a tuple.

    Raises:
        InvalidInput: With all fields of the wrong type or, if there are none, everything that
            `faults` returns.
    """

    FROM_PLACE: ClassVar[tuple[str, ...]] = ()
    """Fields that a file expresses by the position of a table; hints about keys omit them.
    """

    def __post_init__(self) -> None:
        faults = []
        for field in msgspec.structs.fields(self):
            value, wrong = self._taken(field)
            faults += wrong
            if not wrong:
                msgspec.structs.force_setattr(self, field.name, value)
        faults = faults or self.faults()
        if faults:
            raise InvalidInput(faults)

    def _taken(self, field: msgspec.structs.FieldInfo) -> tuple[Any, list[Fault]]:
        try:
            given = self.spelled_out(field.name, getattr(self, field.name))
        except InvalidInput as error:
            return None, [fault.under(field.name) for fault in error.faults]
        except ValueError as error:
            return None, [Fault(field.name, str(error))]
        if wrong := _no_struct(field.type, given):
            return None, [Fault(field.name, wrong)]
        return read_value(field.type, given, field.name)

    def spelled_out(self, field: str, value: Any) -> Any:
        """Expand the short form of a field's value, such as a string in place of a table.

        Raises:
            ValueError: If the short form is invalid.
        """
        return value

    def faults(self) -> list[Fault]:
        """Return what is wrong besides the types. Called only when all types are correct."""
        return []


def read(cls: type[T], data: object, path: str = "") -> tuple[T | None, list[Fault]]:
    """Build a struct from plain data, as parsed from a file.

    Args:
        cls: The struct's class; fields that are structs, tuples of structs and tagged unions
            of structs are read the same way.
        data: A mapping with the struct's fields.
        path: The key of the data, as prefix for the paths of the faults.

    Returns:
        The struct and no faults, or None and every fault: unknown keys (with the nearest known
        one), missing keys, wrong types, and what the class itself finds.
    """
    if not isinstance(data, Mapping):
        return None, [Fault(path, f"expected a table, got {data!r}")]
    fields = {field.encode_name: field for field in msgspec.structs.fields(cls)}
    known = [*fields, *filter(None, [cls.__struct_config__.tag_field])]
    from_place = getattr(cls, "FROM_PLACE", ())
    hinted = [name for name in fields if name not in from_place]
    faults = [
        Fault(_join(path, key), f"unknown key{nearest(str(key), hinted) or _keys(hinted)}")
        for key in data
        if key not in known
    ]
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in data:
            value, wrong = read_value(field.type, data[name], _join(path, name))
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
    except ValueError as error:  # a struct that is not `Checked`, such as a plugin's options
        return None, [Fault(path, str(error))]


def read_value(kind: Any, value: object, path: str) -> tuple[Any, list[Fault]]:
    """Build a value of any field type from plain data; see `read`."""
    if unordered := list(_unordered(kind, value, path)):
        return None, unordered
    try:
        converted = msgspec.convert(value, kind)
    except (msgspec.ValidationError, AttributeError) as error:  # numpy's are no mapping after all
        return None, _misfits(kind, value, path) or [Fault(path, _wrong(kind, value, str(error)))]
    faults = list(_not_plain(converted, path))
    return (None, faults) if faults else (converted, [])


def without_order(value: object) -> str | None:
    """Return the fault of a set given in place of an ordered collection, or None."""
    if not isinstance(value, set | frozenset):
        return None
    ordered = sorted(value, key=repr)
    return (
        f"a set has no order, and each process would have a different one; give a list, "
        f"such as {ordered!r}"
    )


def _unordered(kind: Any, value: object, path: str) -> Iterator[Fault]:
    """Yield the sets in a value, unless the expected type is a set."""
    if (wrong := without_order(value)) is not None:
        if not any((typing.get_origin(o) or o) in (set, frozenset) for o in _options(kind)):
            yield Fault(path, wrong)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _unordered(Any, item, f"{path}[{position}]")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unordered(Any, item, _join(path, key))


def _misfits(kind: Any, value: object, path: str) -> list[Fault]:
    """Return what is wrong with the elements of a value."""
    options = _options(kind)
    structs = tuple(o for o in options if isinstance(o, type) and issubclass(o, msgspec.Struct))
    if structs and isinstance(value, Mapping):
        return (
            read(structs[0], value, path)[1] if len(structs) == 1 else _tagged(structs, value, path)
        )
    for option in options:
        origin, inner = typing.get_origin(option), typing.get_args(option)
        if isinstance(value, list | tuple) and origin in _LISTS and inner[1:] in ((), (...,)):
            parts = [(inner[0], item, f"{path}[{index}]") for index, item in enumerate(value)]
        elif isinstance(value, Mapping) and origin in _TABLES:
            parts = [(inner[1], item, _join(path, key)) for key, item in value.items()]
        else:
            continue
        return [fault for part in parts for fault in read_value(*part)[1]]
    return []


def _tagged(
    structs: tuple[type[msgspec.Struct], ...], value: Mapping[Any, object], path: str
) -> list[Fault]:
    field = str(structs[0].__struct_config__.tag_field)
    by_tag = {str(struct.__struct_config__.tag): struct for struct in structs}
    tag = value.get(field)
    if isinstance(tag, str) and tag in by_tag:
        return read(by_tag[tag], value, path)[1]
    guess = nearest(tag, by_tag) if isinstance(tag, str) else ""
    given = f"{tag!r} is not one of" if field in value else "missing; give one of"
    return [Fault(_join(path, field), f"{given} {', '.join(by_tag)}{guess}")]


def _not_plain(value: object, path: str) -> Iterator[Fault]:
    """Yield the strings of a subclass of str, such as numpy's: JSON does not preserve the class."""
    if isinstance(value, str) and type(value) is not str:
        yield Fault(path, f"expected text, got {said(value)}")
    elif isinstance(value, tuple | list):
        for position, item in enumerate(value):
            yield from _not_plain(item, f"{path}[{position}]")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _not_plain(key, path)
            yield from _not_plain(item, _join(path, key))


# -- messages -------------------------------------------------------------------------------

_LISTS = (tuple, list, set, frozenset)
_TABLES = (dict, Mapping)
_WORDS: Mapping[object, str] = {
    float: "a number",
    int: "an integer",
    str: "text",
    bool: "true or false",
    type(None): "nothing",
}


def _options(kind: Any) -> tuple[Any, ...]:
    """Return the types of a union, or the single type, without their bounds."""
    if typing.get_origin(kind) is typing.Annotated:
        return _options(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(option for part in typing.get_args(kind) for option in _options(part))
    return (kind,)


def _no_struct(kind: Any, value: object) -> str | None:
    """Return what is wrong with a Python value where only a struct of a type may stand, if so."""
    kinds = _options(kind)
    structs = [one for one in kinds if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    others = [one for one in kinds if one not in structs]
    if others not in ([], [type(None)]) or isinstance(value, (Mapping, *kinds)):
        return None
    names = " or ".join(each.__name__ for each in structs)
    article = "an" if names[0] in "AEIOU" else "a"
    return f"expected {article} {names}, got {said(value)}"


def _words(kind: Any) -> str:
    options = [option for option in _options(kind) if option is not type(None)]
    if float in options:  # a float field also accepts integers
        options = [option for option in options if option is not int]
    return " or ".join(dict.fromkeys(map(_word, options)))


def _word(kind: Any) -> str:
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return " or ".join(map(repr, typing.get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return " or ".join(repr(member.value) for member in kind)
    if (origin or kind) in _LISTS:
        return "a list"
    if (origin or kind) in _TABLES or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return "a table"
    return _WORDS.get(kind, str(getattr(kind, "__name__", kind)))


def _wrong(kind: Any, value: object, error: str) -> str:
    """Return what is wrong with a value itself; falls back on msgspec's message."""
    options = _options(kind)
    if type(value) in options:  # the type is correct, but the value is out of bounds
        return f"{error[:1].lower()}{error[1:]}, got {value!r}".replace("`", "")
    literals = [option for option in options if typing.get_origin(option) is typing.Literal]
    known = [str(word) for literal in literals for word in typing.get_args(literal)]
    guess = nearest(value, known) if isinstance(value, str) else ""
    return f"expected {_words(kind)}, got {said(value)}{guess}"


def _keys(fields: Collection[str]) -> str:
    return f"; known: {', '.join(fields)}" if fields else "; this takes no keys"


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
