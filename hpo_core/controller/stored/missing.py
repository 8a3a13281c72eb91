"""Errors for plugins that a stored study needs and that are not installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from hpo_core.model.errors import UnknownPlugin
from hpo_core.store.store import Store, opened


@contextmanager
def named_by_store(store: str | os.PathLike[str] | Store | None, name: str) -> Iterator[None]:
    """A context manager that adds the distribution of a missing plugin to the error.

    Args:
        store: The store, or its path; it may not exist.
        name: The study.

    Raises:
        UnknownPlugin: The error raised inside, with the distribution if the store has it.
    """
    try:
        yield
    except UnknownPlugin as error:
        said = _said(error.plugin, store, name)
        if said is None:
            raise
        raise UnknownPlugin(said, error.plugin) from None


def _said(plugin: str, store: str | os.PathLike[str] | Store | None, name: str) -> str | None:
    if store is None or not (isinstance(store, Store) or os.path.exists(store)):
        return None
    with opened(store) as held:
        study = held.find(name)
    for role, found in (study.plugins if study is not None else {}).items():
        if found["name"] == plugin:
            package, words = found["distribution"], role.replace(".", "'s ")
            return (
                f"the {words} {plugin!r} is not installed; when the study {name!r} was "
                f"started, it came from {package} {found['version']}: pip install {package}"
            )
    return None
