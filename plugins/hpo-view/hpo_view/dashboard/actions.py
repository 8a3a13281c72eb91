"""The actions of the dashboard's buttons: stop, enqueue, extend, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo_core import InvalidInput, load_study
from hpo_core.plugin import Fault

ACTIONS = ("stop", "enqueue", "extend", "delete")


def act(store: str, name: str, action: str, given: Mapping[str, Any]) -> str:
    """Perform an action on a study, and return a sentence about the result.

    Args:
        store: The store's file.
        name: The study.
        action: One of `ACTIONS`.
        given: The configuration for ``enqueue``, the limits for ``extend`` (``jobs="+20"``).

    Raises:
        HpoError: If the action fails, with the reason.
    """
    study = load_study(store, name)
    match action:
        case "stop":
            was_running = study.stop()
            return f"{name} was stopped" if was_running else f"{name} was not running"
        case "enqueue":
            if not given:
                message = "a value for each active parameter is missing"
                raise InvalidInput([Fault("configuration", message)])
            study.enqueue(given)
            return f"the configuration is enqueued in {name}"
        case "extend":
            study.extend(**given)
            return f"the budget of {name} is larger; hpo resume {name} uses it"
        case _:
            study.delete()
            return f"{name} is deleted"
