"""Paths in a script, as far as they can be known without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import NamedTuple

from hpo_core.draft.source import Source, dotted, last_name

_HOLE = "\ue000"
_DEPTH = 9


class FoundPath(NamedTuple):
    """A path with placeholders; what is unknown is a hole.

    Attributes:
        raw: The path.
    """

    raw: str

    @property
    def is_known(self) -> bool:
        """Whether no part of it is unknown."""
        return _HOLE not in self.raw

    @property
    def text(self) -> str:
        """The path without its unknown folders."""
        parts = [part for part in self.raw.split("/") if _HOLE not in part]
        return "/".join(parts) if parts[-1:] == self.raw.split("/")[-1:] else ""

    def folder(self) -> str:
        """Return the path with ``*`` for each unknown folder."""
        return "/".join("*" if _HOLE in part else part for part in self.raw.split("/"))


class Paths:
    """Finds the paths of a script.

    Args:
        source: The script.
        given: The values of arguments that name files or folders, by the argument's name.
    """

    def __init__(self, source: Source, given: Mapping[str, str]) -> None:
        self._source = source
        self._given = given

    def path(self, node: ast.expr) -> FoundPath:
        """Return the path that an expression is."""
        return FoundPath(re.sub(r"/+", "/", self._text(node, 0)))

    def _text(self, node: ast.expr | None, depth: int) -> str:
        if depth > _DEPTH or node is None:
            return _HOLE
        match node:
            case ast.Constant(value=str(text)):
                return text.replace("{", "{{").replace("}", "}}")
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return f"{self._text(left, depth + 1)}/{self._text(right, depth + 1)}"
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._text(left, depth + 1) + self._text(right, depth + 1)
            case ast.JoinedStr(values=values):
                return "".join(self._text(value, depth + 1) for value in values)
            case ast.FormattedValue(value=value):
                return self._text(value, depth + 1)
            case ast.Call(args=args) if last_name(node) in ("join", "Path", "str", "joinpath"):
                start = []
                if last_name(node) == "joinpath" and isinstance(node.func, ast.Attribute):
                    start = [node.func.value]
                return "/".join(self._text(arg, depth + 1) for arg in [*start, *args])
            case ast.Name() | ast.Attribute():
                return self._named(node, depth)
        return _HOLE

    def _named(self, node: ast.Name | ast.Attribute, depth: int) -> str:
        name = last_name(node)
        if name in self._given and dotted(node).count(".") <= 1:
            return self._given[name]
        found = self._source.assigned(node)
        return _HOLE if found is node else self._text(found, depth + 1)
