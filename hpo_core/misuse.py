"""Settings without effect: an error in a new study, a warning in a stored one.

Each of these settings would waste compute time without notice, or fail every job. They are not
checked by `StudyConfig`, since studies stored before these checks existed must stay readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from hpo_core.config import JobSettings, StudyConfig, texts
from hpo_core.model.constraint import Constraint
from hpo_core.model.errors import Fault, listed, nearest
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Constant, Parameter
from hpo_core.model.placeholders import Texts, values_of
from hpo_core.model.runnable import unrunnable
from hpo_core.model.space import SearchSpace
from hpo_core.model.templates import template
from hpo_core.model.values import as_text, is_one_of


def misuses(config: StudyConfig) -> list[Fault]:
    """Return all settings of a configuration that have no effect."""
    return list(misuses_of(msgspec.structs.asdict(config)))


def misuses_of(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the same for the valid fields of a configuration."""
    objectives = values.get("objectives", ())
    yield from _not_reportable("objective", objectives, len(objectives) > 1)
    yield from _not_reportable("constraints", values.get("constraints", ()), True)
    job, space = values.get("job"), values.get("space")
    if job is not None and space is not None:
        used = texts(job, values.get("job_name", ""), values_of(space.parameters))
        if not any(used.faults()):  # reported as errors elsewhere
            yield from used.ignored_formats()
            yield from used.ambiguous_names()
            yield from _unmentioned(job, space.parameters, used)
            yield from _without_gpus(job, used)
    if job is not None:
        yield from _without_nul(job)
        yield from _set_by_resources(job)
        wanted = [*objectives, *values.get("constraints", ())]
        yield from _not_read(job, {each.metric: None for each in wanted})
        yield from _shared_file(job, values.get("workers", 1))
    if space is not None:
        yield from unrunnable(space)
        yield from _forbidden_defaults(space)


def _not_reportable(
    key: str, metrics: Sequence[Objective | Constraint], has_index: bool
) -> Iterator[Fault]:
    """Yield the metrics named like the key of a report that holds the iteration."""
    for index, one in enumerate(metrics):
        if one.metric == "iteration":
            yield Fault(
                f"{key}[{index}].metric" if has_index else f"{key}.metric",
                "no job can report a metric 'iteration': in a report this key is the current "
                "iteration; give the metric another name",
            )


def _not_read(job: JobSettings, wanted: Iterable[str]) -> Iterator[Fault]:
    """Yield the metrics that the study needs and that are not read, though others are."""
    for metric in wanted:
        if job.metrics and metric not in job.metrics:
            yield Fault(
                "job.metrics",
                f"lacks {metric!r}, which the study needs{nearest(metric, job.metrics)}; what jobs "
                "report themselves is not heard where metrics are read",
            )


def _shared_file(job: JobSettings, workers: int) -> Iterator[Fault]:
    """Yield a metrics file that several jobs would write at once."""
    file = job.metrics_file
    if file is None or workers == 1:
        return
    with suppress(ValueError):  # which is its own error
        if not _OWN_FILE.intersection(template(file).names()):
            yield Fault(
                "job.metrics_file",
                f"is one file for all jobs, and {workers} run at once: have the command write to a "
                "file of each job's own, and name it here with {trial_id}, {job_id} or "
                "{checkpoint_dir}, or set workers = 1",
            )


_OWN_FILE = frozenset(("trial_id", "job_id", "checkpoint_dir"))


def _without_nul(job: JobSettings) -> Iterator[Fault]:
    """Yield the arguments that cannot be passed to a process."""
    for place, argument in enumerate(job.command or ()):
        if "\0" in argument:
            message = "an argument of a process cannot contain the character NUL; leave it out"
            yield Fault(f"job.command[{place}]", message)


def _without_gpus(job: JobSettings, used: Texts) -> Iterator[Fault]:
    """Yield the text that names the GPUs of a job, if it has none."""
    path = used.of_machine().get("gpu")
    if path is not None and (job.resources is None or job.resources.gpus is None):
        message = "{gpu} stands for the GPUs of a job, and the job has none"
        yield Fault(path, f"{message}; give job.resources.gpus, such as resources = {{ gpus = 1 }}")


def _set_by_resources(job: JobSettings) -> Iterator[Fault]:
    """Yield the variables that would give a job other GPUs than those that it has."""
    if job.resources is not None and job.resources.gpus is not None:
        for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"):
            if name in job.environment:
                yield Fault(
                    f"job.environment.{name}",
                    "hides GPUs that job.resources.gpus gives to the job; leave it out (name the "
                    "GPUs to use as backend.options.gpus)",
                )


def _unmentioned(job: JobSettings, parameters: Sequence[Parameter], used: Texts) -> Iterator[Fault]:
    """Yield the parameters that the command does not name, if it names others.

    A command that names no parameter reads ``HPO_CONFIGURATION``.
    """
    mentioned = used.mentioned()
    if job.command is None or job.reads_configuration or not mentioned:
        return
    parents = {parent for axis in parameters for parent in axis.conditions}
    for axis in parameters:
        names = [name for name in axis.names if name not in mentioned and name not in parents]
        if names and not isinstance(axis, Constant):
            yield Fault(
                f"parameters.{axis.name}",
                f"the command gets {listed(sorted(mentioned))}, but not {listed(names)}, "
                f"which would have no effect: write {{{names[0]}}} in job.command or "
                "job.environment, or set job.reads_configuration = true if the program reads "
                "HPO_CONFIGURATION",
            )


def _forbidden_defaults(space: SearchSpace) -> Iterator[Fault]:
    """Yield the default values whose combination is forbidden."""
    starts = space.starting_values()
    for clause in space.clauses:
        if all(name in starts and is_one_of(starts[name], clause[name]) for name in clause):
            axes = [space.by_name[name] for name in clause]
            given = [axis.name for axis in axes if getattr(axis, "default", None) is not None]
            together = ", ".join(f"{name} = {as_text(starts[name])}" for name in clause)
            for name in given[:1]:
                yield Fault(
                    f"parameters.{name}.default",
                    f"the combination {together} of the default values is forbidden; give "
                    f"other defaults",
                )
