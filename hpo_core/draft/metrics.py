"""The objective of a draft, and how its metrics are read."""

from __future__ import annotations

from typing import Any, NamedTuple

from hpo_core.draft.metric_names import is_held_out, is_less
from hpo_core.draft.printed import NUMBER, Found
from hpo_core.draft.strategies import is_installed
from hpo_core.draft.written import Written
from hpo_core.model.text import printable
from hpo_core.toml_text import toml_text

_UNKNOWN = "what is the metric called, and how is it printed? Nothing was found in the script"
_FILE = "if it is written to a CSV or JSON file, give metrics_file in [job] instead"
_OTHERS = 5


class DraftedMetrics(NamedTuple):
    """The metrics of a draft.

    Attributes:
        objective: The metric of the objective.
        direction: Its direction.
        others: Further metrics.
        how: ``printed`` or ``written``.
        in_job: Lines of the table ``job``.
        tables: Lines of further tables.
        questions: Questions to the user.
        run_with: The module that runs the script so that what it writes is readable at once; ``""``
            for none.
    """

    objective: str
    direction: str
    others: list[str]
    how: str
    in_job: list[str]
    tables: list[str]
    questions: list[str]
    run_with: str = ""


def drafted_metrics(found: Found, written: Written | None) -> DraftedMetrics:
    """Return the metrics of a draft, held-out data first.

    Args:
        found: What the script prints.
        written: What it writes, if anything.
    """
    if written is None:
        return _printed(found)
    if found.metrics and (is_held_out(found.metrics[0].name) or not is_held_out(written.names[0])):
        return _printed(found)
    return _in_events(written) if written.is_events else _in_file(written)


def _printed(found: Found) -> DraftedMetrics:
    job = [toml_text({"iteration": found.iteration})] if found.iteration is not None else []
    if not found.metrics:
        pattern = toml_text({"loss": rf"loss[=:\s]+{NUMBER}"})
        lines = ["\n[job.metrics]\n", f"# ? {_UNKNOWN}\n", f"# ({_FILE})\n", pattern]
        return DraftedMetrics(
            "loss", "minimize", [], "printed", job, lines, [f"job.metrics: {_UNKNOWN}"]
        )
    first, *rest = found.metrics
    pattern = toml_text({first.name: first.pattern})
    said = f"# printed as: {printable(' '.join(first.line.split()))}\n"
    return DraftedMetrics(
        first.name,
        "minimize" if first.is_minimized else "maximize",
        [each.name for each in rest[:_OTHERS]],
        "printed",
        job,
        ["\n[job.metrics]\n", said, pattern],
        [],
    )


def _in_file(written: Written) -> DraftedMetrics:
    table: dict[str, Any] = {"metrics_file": written.place}
    if written.iteration is not None:
        table["iteration"] = written.iteration
    questions = [] if written.is_sure else [f"job.metrics_file: is it {written.place}?"]
    run_with = "hpo_core.flush" if written.is_delayed else ""
    return _written(written, [toml_text(table)], questions, run_with)


def _in_events(written: Written) -> DraftedMetrics:
    reader: Any = "tensorboard"
    if written.place != "{checkpoint_dir}":
        reader = {"name": "tensorboard", "options": {"directory": written.place}}
    questions = []
    if not is_installed("tensorboard"):
        questions = ["job.metrics_reader: it needs: pip install hpo-tensorboard"]
    run_with = "hpo_tensorboard" if written.is_delayed else ""
    return _written(written, [toml_text({"metrics_reader": reader})], questions, run_with)


def _written(
    written: Written, lines: list[str], questions: list[str], run_with: str
) -> DraftedMetrics:
    first, *rest = written.names
    if run_with:
        said = f"# -m {run_with} in the command: what the script writes can be read at once\n"
        lines = [said, *lines]
    return DraftedMetrics(
        first,
        "minimize" if is_less(first) else "maximize",
        rest[:_OTHERS],
        "written",
        lines,
        [],
        questions,
        run_with,
    )
