"""Resume the study of a search from its store."""

from __future__ import annotations

import os
import pickle
from typing import Any

import joblib

from hpo_core import StudyChanged, UnknownStudy, load_study

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


def trials_to_run(
    store: str | os.PathLike[str], name: str, tag: str, trials: int | None
) -> int | None:
    """Return the budget of trials for a search that may be stored, and extend a smaller one.

    Args:
        store: The store's file.
        name: The study's name.
        tag: What `fingerprint` returned.
        trials: The wanted number of candidates.

    Raises:
        StudyChanged: If the stored search has other data, folds or another estimator.
    """
    if not os.path.exists(store):
        return trials
    try:
        study = load_study(store, name)
    except UnknownStudy:
        return trials
    if [tag] != [own for own in study.config.tags if own.startswith(FINGERPRINT)]:
        raise StudyChanged(
            f"the search {name!r} in {os.fspath(store)} has other data, folds, scoring or another "
            f"estimator; choose another name=, or delete it: hpo delete {name} --store "
            f"{os.fspath(store)}"
        )
    stored = study.config.budget.trials
    if trials is None or stored is None or trials <= stored:
        return stored
    study.extend(trials=trials)
    return trials
