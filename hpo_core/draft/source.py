"""A Python script as a syntax tree: its constants, functions and local modules."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path
from typing import Any

from hpo_core.model.errors import Fault, InvalidInput

UNKNOWN = object()
"""Represents a value that is unknown without running the script."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
}  # fmt: skip

_MOST_MODULES = 30


class Source:
    """A script, and the local modules that it imports.

    Args:
        path: The script.

    Raises:
        InvalidInput: If it cannot be read, or is not Python.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self.trees: list[ast.Module] = [_parsed(path)]
        self._seen = {path.resolve()}
        for tree in self.trees:  # which grows during the loop
            for module in _local_modules(tree, self._folder):
                if module.resolve() not in self._seen and len(self.trees) < _MOST_MODULES:
                    self._seen.add(module.resolve())
                    try:
                        self.trees.append(_parsed(module))
                    except InvalidInput:  # only the script itself is required
                        continue
        self._constants: dict[str, ast.expr] = {}
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        for tree in reversed(self.trees):
            for node in tree.body:
                self._note(node)

    def alone(self) -> Source:
        """Return the script without its imported modules; their names remain known."""
        one = copy(self)
        one.trees = self.trees[:1]
        return one

    def walk(self) -> Iterator[ast.AST]:
        """Yield every node in source order, those of the script first."""
        for tree in self.trees:
            yield from _in_order(tree)

    def defined(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function."""
        for node in self.walk():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self) -> Iterator[ast.Call]:
        """Yield every call."""
        return (node for node in self.walk() if isinstance(node, ast.Call))

    def value(self, node: ast.expr | None) -> Any:
        """Return the value of an expression of constants; UNKNOWN if it is anything else."""
        try:
            return self._value(node, 0)
        except (ValueError, TypeError, ArithmeticError, RecursionError):
            return UNKNOWN

    def assigned(self, node: ast.expr | None) -> ast.expr | None:
        """Return what a plain name was assigned first, anywhere in the script; else the node."""
        if isinstance(node, ast.Name):
            for each in self.walk():
                match each:
                    case ast.Assign(targets=[ast.Name(id=node.id)], value=value):
                        return value
                    case ast.AnnAssign(target=ast.Name(id=node.id), value=ast.expr() as value):
                        return value
        return node

    def plain(self, node: ast.expr | None) -> Any:
        """Return the value of an expression of constants; None if it is anything else."""
        value = self.value(node)
        return None if value is UNKNOWN else value

    def _value(self, node: ast.expr | None, depth: int) -> Any:
        match node:
            case ast.Constant(value=value) if not isinstance(value, bytes | complex):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand, depth)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
                base = self._value(left, depth)
                if abs(base) > 1000 or abs(power) > 30:
                    raise ValueError("too large")
                return base**power
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                first, second = self._value(left, depth), self._value(right, depth)
                if isinstance(first, str) != isinstance(second, str):
                    raise TypeError("no number")
                return _BINARY[type(op)](first, second)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [self._value(item, depth) for item in items]
            case ast.Dict(keys=keys):
                return [self._value(key, depth) for key in keys]
            case ast.Name(id=name) if name in self._constants and depth < 9:
                return self._value(self._constants[name], depth + 1)
            case (
                ast.Call(func=ast.Attribute(value=inner, attr="keys"))
                | ast.Call(func=ast.Name(id="list" | "sorted" | "tuple"), args=[inner])
            ):
                return self._value(inner, depth)
            case ast.Call(func=ast.Name(id="Path"), args=[inner]):
                return self._value(inner, depth)
        raise ValueError("not a constant")

    def _note(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._constants[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._constants[name] = value
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.functions[node.name] = node
            case ast.ClassDef():
                self.classes[node.name] = node
            case ast.If(body=body):
                for inner in body:
                    self._note(inner)


def dotted(node: ast.AST | None) -> str:
    """Return a name with its dots, such as ``click.option``; ``""`` for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
        case ast.Call(func=func):
            return dotted(func)
    return ""


def last_name(node: ast.AST | None) -> str:
    """Return the last part of a name: ``option`` of ``click.option``."""
    return dotted(node).rpartition(".")[2]


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return a keyword argument of a call."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidInput([Fault(str(path), f"cannot read it: {error.strerror}")]) from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = f"is no Python that this Python reads: {error}"
        raise InvalidInput([Fault(str(path), message)]) from error


def _local_modules(tree: ast.Module, folder: Path) -> Iterator[Path]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names = [base, *(f"{base}.{alias.name}".strip(".") for alias in node.names)]
        for name in filter(None, names):
            base_path = folder.joinpath(*name.split("."))
            for candidate in (base_path.with_suffix(".py"), base_path / "__init__.py"):
                if candidate.is_file():
                    yield candidate


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)
