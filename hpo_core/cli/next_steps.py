"""What ``hpo`` alone says: what can be done next, in the folder where it is typed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hpo_core.cli.common import as_argument
from hpo_core.model.errors import HpoError
from hpo_core.model.job import StudyState
from hpo_core.model.text import printable

_MOST = 5
"""How many studies, or files of studies, are named."""

_LARGEST = 1 << 16
"""Bytes of the largest file that is looked at."""

_NEXT = {
    StudyState.CREATED: "hpo resume {name}",
    StudyState.RUNNING: "hpo show {name}",
    StudyState.INTERRUPTED: "hpo resume {name}",
    StudyState.FAILED: "hpo jobs {name}",
    StudyState.FINISHED: "hpo top {name}",
}


def next_steps() -> str:
    """Return what can be done next, line by line: stored studies, study files, or a beginning."""
    steps = [*_of_studies(os.environ.get("HPO_STORE") or "hpo.db"), *_of_files()]
    steps = steps or [("hpo init train.py", "draft a study file for a script of yours")]
    width = max(len(command) for command, _ in steps)
    lines = [f"    {command:{width}}    {meaning}" for command, meaning in steps]
    return "\n".join(["What to do next:", *lines])


def _of_studies(store: str) -> Iterator[tuple[str, str]]:
    if not os.path.isfile(store):
        return
    from hpo_core.study.study import studies

    try:
        found = studies(store)
        for study in found[-_MOST:][::-1]:
            command = _NEXT[study.state].format(name=as_argument(study.name))
            yield command, f"the study {printable(study.name)} is {study.state.value}"
    except HpoError as error:
        yield "hpo studies", printable(str(error)).partition("\n")[0]
        return
    if len(found) > _MOST:
        yield "hpo studies", f"and {len(found) - _MOST} more"


def _of_files() -> Iterator[tuple[str, str]]:
    files = sorted(path for path in Path().glob("*.toml") if _is_study(path))
    for path in files[:_MOST]:
        name = as_argument(str(path))
        yield f"hpo try {name}", "run one job with default values"
        yield f"hpo run {name}", "run the study, or resume it"


def _is_study(path: Path) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return False
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "strategy" in text and "objective" in text and "[parameters" in text
