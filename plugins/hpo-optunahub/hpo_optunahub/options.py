"""The options of ``optunahub``. Importing this imports neither Optuna nor code of the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of ``optunahub``.

    Attributes:
        package: The package in the registry, such as ``samplers/auto_sampler``.
        commit: The commit of the registry, 40 hexadecimal digits. ``hpo optunahub fetch`` has
            fetched the package at this commit; with `registry_root`, the checkout must be at it.
        registry_root: The folder ``package`` of a local checkout; None for fetched code.
        sampler: The sampler's class in the package; None if there is only one.
        arguments: Its arguments. The seed is that of the study.
    """

    package: str
    commit: str | None = None
    registry_root: str | None = None
    sampler: str | None = None
    arguments: Mapping[str, Any] = {}


def check(options: Options) -> None:
    """Check the options, without a look at the code.

    Raises:
        InvalidInput: With every fault.
    """
    faults = []
    if not is_package(options.package):
        faults.append(Fault("package", "give the name of a package such as samplers/auto_sampler"))
    if options.commit is not None and not is_commit(options.commit):
        faults.append(Fault("commit", "give all 40 hexadecimal digits of a commit"))
    if options.commit is None and options.registry_root is None:
        wrong = (
            f"is missing: `hpo optunahub fetch {options.package}` fetches the code and prints it; "
            "or give registry_root, the folder of a local checkout"
        )
        faults.append(Fault("commit", wrong))
    if "seed" in options.arguments:
        faults.append(Fault("arguments.seed", "leave it out: the seed of the study is used"))
    if faults:
        raise InvalidInput(faults)


def is_package(name: str) -> bool:
    """Return whether a text may be the name of a package: a relative path without dots."""
    return re.fullmatch(r"\w[\w-]*(/\w[\w-]*)+", name) is not None


def is_commit(text: str) -> bool:
    """Return whether a text is a full commit."""
    return re.fullmatch(r"[0-9a-f]{40}", text) is not None
