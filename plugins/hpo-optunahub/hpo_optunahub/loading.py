"""Load a sampler of the hub from a folder, without the network."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import optuna
import optunahub

from hpo_core.plugin import Fault, InvalidInput, nearest
from hpo_optunahub.options import Options
from hpo_optunahub.registry import folder_of


def load_sampler(options: Options, seed: int) -> Any:
    """Import the package, and create its sampler.

    Raises:
        InvalidInput: If the code can't be imported, or the options do not suit it.
    """
    root = folder_of(options)
    with _without_network(root):
        try:
            module = optunahub.load_local_module(options.package, registry_root=str(root))
        except ImportError as error:
            wrong = f"can't be imported: {error}; install what it requires, as its README says"
            raise InvalidInput([Fault("package", wrong)]) from error
        kind = _sampler_of(module, options)
        given = dict(options.arguments)
        if "seed" in inspect.signature(kind).parameters:
            given["seed"] = seed
        try:
            return kind(**given)
        except (TypeError, ValueError) as error:
            wrong = f"{kind.__name__} refuses them: {' '.join(str(error).split())}"
            raise InvalidInput([Fault("arguments", wrong)]) from error


def _sampler_of(module: ModuleType, options: Options) -> type[Any]:
    """Return the sampler's class."""
    found = {
        name: kind
        for name in getattr(module, "__all__", sorted(vars(module)))
        if isinstance(kind := getattr(module, name, None), type)
        and issubclass(kind, optuna.samplers.BaseSampler)
        and not kind.__module__.startswith(("optuna.", "optunahub."))
    }
    if options.sampler is None and len(found) == 1:
        return next(iter(found.values()))
    known = ", ".join(found) or "none"
    if options.sampler is None:
        wrong = f"is missing: {options.package} has the samplers {known}"
    elif options.sampler in found:
        return found[options.sampler]
    else:
        guess = nearest(options.sampler, found)
        wrong = f"{options.package} has no sampler {options.sampler!r}, but: {known}{guess}"
    raise InvalidInput([Fault("sampler", wrong)])


@contextmanager
def _without_network(root: Path) -> Iterator[None]:
    """While code of the hub is loaded, what it loads itself comes from the same folder."""
    before = optunahub.load_module

    def load(package: str, *arguments: Any, **keywords: Any) -> ModuleType:
        if not (root / package / "__init__.py").is_file():
            raise ImportError(
                f"it needs the package {package}, which is not in {root}: fetch it at the same "
                f"commit, `hpo optunahub fetch {package}`"
            )
        module: ModuleType = optunahub.load_local_module(package, registry_root=str(root))
        return module

    optunahub.load_module = load
    try:
        yield
    finally:
        optunahub.load_module = before
