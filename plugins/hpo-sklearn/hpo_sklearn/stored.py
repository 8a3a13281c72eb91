"""Resume the study of a search from its store."""

from __future__ import annotations

import os
import pickle
from typing import Any

import joblib

from hpo_core import StudyConfig, load_study
from hpo_core.errors import StudyChanged, UnknownStudy

FINGERPRINT = "data:"
"""The tag that says of which data, folds and estimator the study is."""


def fingerprint(*parts: Any) -> str:
    """Return the tag of a search on these data, folds, estimator and arguments.

    Raises:
        ValueError: If they cannot be compared, since they cannot be pickled.
    """
    try:
        return FINGERPRINT + str(joblib.hash(parts))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            f"store: the search cannot be compared with a stored one, since the estimator, its "
            f"data or the scoring cannot be pickled: {error}; define functions with def at the top "
            f"level of a module, or leave out store="
        ) from error


def stored_config(store: str | os.PathLike[str], name: str, tag: str) -> StudyConfig | None:
    """Return the configuration of a stored search, or None if no such search is stored.

    Args:
        store: The store's file.
        name: The study's name.
        tag: What `fingerprint` returned.

    Raises:
        StudyChanged: If the stored search has other data, folds or another estimator.
    """
    if not os.path.exists(store):
        return None
    try:
        config = load_study(store, name).config
    except UnknownStudy:
        return None
    if [tag] != [own for own in config.tags if own.startswith(FINGERPRINT)]:
        raise StudyChanged(
            f"the search {name!r} in {os.fspath(store)} has other data, folds, scoring or another "
            f"estimator; choose another name=, or delete it: hpo delete {name} --store "
            f"{os.fspath(store)}"
        )
    return config
