"""The configuration of a study, created in Python or from a file, stored as JSON.

`StudyConfig` is used throughout hpo-core and stored with each study, with every default filled in.
`hpo_core.config_file` reads files. Options of plugins are checked where plugins are resolved, in
`hpo_core.controller.strategy.resolve`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from hpo_core.model.budget import Budget, not_a_budget
from hpo_core.model.checked import Checked
from hpo_core.model.constraint import Constraint
from hpo_core.model.durations import DURATIONS, seconds
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.objective import Objective
from hpo_core.model.patterns import pattern_fault
from hpo_core.model.placeholders import Texts, values_of
from hpo_core.model.resources import Resources, in_bytes
from hpo_core.model.space import SearchSpace
from hpo_core.model.templates import Known
from hpo_core.model.text import counted, is_good_name
from hpo_core.model.values import Value

S = TypeVar("S", bound=Checked)

_OWN_VARIABLES = frozenset(
    f"HPO_{name}"
    for name in (
        "CHECKPOINT_DIR", "CONFIGURATION", "ITERATIONS", "JOB_ID", "REPORT_FD", "STUDY_UID",
        "TRIAL_ID", "WORKER",
    )
)  # fmt: skip


class PluginChoice(Checked, frozen=True):
    """A plugin, selected by its config string, with its options.

    Attributes:
        name: The config string, such as ``"random"`` or ``"optuna:tpe"``.
        options: Options of the plugin.
    """

    name: str
    options: dict[str, Any] = {}

    @property
    def is_instance(self) -> bool:
        """Whether this represents a strategy instance passed in Python; see `instance_choice`."""
        return self.name.startswith(_INSTANCE)


_INSTANCE = "instance of "


def instance_choice(strategy: object) -> PluginChoice:
    """Return the plugin choice that represents a strategy instance passed in Python."""
    kind = type(strategy)
    return PluginChoice(f"{_INSTANCE}{kind.__module__}.{kind.__qualname__}")


class JobSettings(Checked, frozen=True, kw_only=True):
    """What jobs execute, and their limits.

    Attributes:
        command: Argument list with ``{placeholders}``. A study has either a command or a function.
        function: ``"module:name"`` of a Python function.
        work: A kind of work that a plugin provides, for a backend that runs it.
        directory: Working directory of the jobs; absolute after parsing.
        environment: Environment variables of the jobs, in addition to those of the controller.
        reads_configuration: Whether the command reads parameters from ``HPO_CONFIGURATION``, so
            that it need not name them all.
        time_limit: Maximum run time of a job, in seconds or as a duration.
        silence_limit: Maximum time without a report, in seconds or as a duration; a job that
            exceeds it has timed out.
        min_iterations: Minimum number of iterations before a job may be stopped or paused.
        max_iterations: Maximum number of iterations per job.
        retries: Maximum number of times that a failed job is run again.
        on_time_limit: Whether a job ended by its time limit is ``"complete"`` with the metrics it
            has reported, or fails (``"fail"``). None for the value of the stored study, or the
            default of new studies; see `settled`.
        grace: Time between the request to terminate a job and the kill, in seconds or as a
            duration.
        checkpoints: Where checkpoints are kept, in place of the study's folder: a folder that
            machines share, or an address of fsspec such as ``"s3://bucket/folder"``.
        keep_checkpoints: Number of best trials that keep their checkpoints, besides trials that may
            be resumed. None to keep all.
        metrics: For jobs that do not report by themselves: maps each metric to a regular expression
            whose group matches the value in a line of the output; with `metrics_file`, to a column.
        iteration: Likewise, for the iteration.
        metrics_file: A file to which the job writes its metrics; may contain placeholders.
        metrics_reader: A plugin that reads the job's metrics from its output or files, as a name or
            with options. None if the job reports by itself.
        resources: GPUs, CPUs and memory of each job. None for no limits.
        tags: Labels of each job, with ``{placeholders}`` as in `StudyConfig.job_name`.
    """

    command: tuple[str, ...] | None = None
    function: str | None = None
    work: str | PluginChoice | None = None
    directory: str = "."
    environment: dict[str, str] = {}
    reads_configuration: bool = False
    time_limit: float | None = None
    silence_limit: float | None = None
    on_time_limit: Literal["complete", "fail"] | None = None
    min_iterations: int = 1
    max_iterations: int | None = None
    retries: int = 0
    grace: float = 5.0
    checkpoints: str | None = None
    keep_checkpoints: int | None = None
    metrics: dict[str, str] = {}
    iteration: str | None = None
    metrics_file: str | None = None
    metrics_reader: str | PluginChoice | None = None
    resources: Resources | None = None
    tags: tuple[str, ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether the job's metrics are read, and not reported by the job itself."""
        return bool(self.metrics) or not (self.metrics_file is self.metrics_reader is None)

    def spelled_out(self, field: str, value: Any) -> Any:
        if field == "resources":
            return in_bytes(value)
        return seconds(value) if field in DURATIONS and isinstance(value, str) else value

    def faults(self) -> list[Fault]:
        faults = []
        if sum(each is not None for each in (self.command, self.function, self.work)) != 1:
            kinds = (
                "a command or a function" if self.work is None else "a command, function or work"
            )
            faults.append(Fault("", f"give {kinds}, and only one of them"))
        if self.command == ():
            faults.append(Fault("command", "is empty; give the program and its arguments"))
        if self.function is not None and ":" not in self.function:
            message = f"expected 'module:name', such as 'train:fit', got {self.function!r}"
            faults.append(Fault("function", message))
        if self.min_iterations < 1:
            faults.append(Fault("min_iterations", f"must be 1 or more, got {self.min_iterations}"))
        if self.max_iterations is not None and self.max_iterations < self.min_iterations:
            message = f"{self.max_iterations} is below min_iterations, {self.min_iterations}"
            faults.append(Fault("max_iterations", message))
        if self.retries < 0:
            faults.append(Fault("retries", f"must be 0 or more, got {self.retries}"))
        for key in ("time_limit", "silence_limit"):
            limit = getattr(self, key)
            if limit is not None and not limit > 0:
                faults.append(Fault(key, f"must be above 0, got {limit}"))
        if self.checkpoints == "":
            faults.append(Fault("checkpoints", "is empty; give a folder, or leave it out"))
        if self.keep_checkpoints is not None and self.keep_checkpoints < 0:
            message = f"must be 0 or more, got {self.keep_checkpoints}"
            faults.append(Fault("keep_checkpoints", message))
        if not self.grace >= 0:
            faults.append(Fault("grace", f"must be 0 or more, got {self.grace}"))
        return [*faults, *self._environment_faults(), *self._reading_faults()]

    def _reading_faults(self) -> Iterator[Fault]:
        """Yield what is wrong with where metrics are read."""
        if self.metrics_reader is not None:
            for key in ("metrics", "iteration", "metrics_file"):
                if getattr(self, key):
                    yield Fault(key, "means nothing with a metrics_reader; leave one of them out")
            return
        if self.iteration is not None and not self.is_read:
            yield Fault("iteration", "is read with metrics; give the table [job.metrics], too")
        if self.metrics_file == "":
            yield Fault("metrics_file", "is empty; give the path of a file, such as 'metrics.csv'")
        if "iteration" in self.metrics:
            message = "is how far the job is, and no metric; give its pattern as job.iteration"
            yield Fault("metrics.iteration", message)
        texts = {f"metrics.{name}": text for name, text in self.metrics.items()}
        texts |= {} if self.iteration is None else {"iteration": self.iteration}
        for key, text in texts.items():
            if self.metrics_file is None and (wrong := pattern_fault(text)):
                yield Fault(key, wrong)

    def _environment_faults(self) -> Iterator[Fault]:
        for name, value in self.environment.items():
            if not name or "=" in name or "\0" in name + value:
                message = (
                    "no process can have it: a name has no =, and neither has the character NUL"
                )
                yield Fault(f"environment.{name}", message)
            if name in _OWN_VARIABLES:
                yield Fault(f"environment.{name}", "is set by hpo-core itself; leave it out")


class StudyConfig(Checked, frozen=True, kw_only=True):
    """The complete configuration of a study, with all defaults filled in.

    The short forms of the study file are accepted: a string for a strategy or a backend, a single
    objective, a metric's name for a constraint. `space` may be a list of parameters.

    Attributes:
        name: The study's name, unique in its store.
        seed: Random seed of the study.
        workers: Maximum number of jobs that run at once.
        strategy: The strategy, with its options.
        objectives: The objectives, at least one.
        constraints: Upper bounds on metrics that a trial must satisfy to be one of the best.
        budget: The limits of the study.
        job: What the jobs execute, and their limits.
        space: The search space.
        backend: The backend, with its options.
        observers: Observers to notify of study events: names of plugins, optionally with options.
        job_name: Template for the names of jobs; it may use the parameters, ``name``, ``trial_id``
            and ``job_id``.
        tags: Free-form labels, stored and displayed.
        max_failures: Maximum number of failed trials; the study fails if there are more. None for
            no limit.
        max_failures_at_start: The study fails if this many trials fail at the start of a session
            before any succeeds; 0 for no limit. None as for `JobSettings.on_time_limit`.
        on_failure: Whether the study continues when a trial fails, or fails at the first failed
            trial.
        enqueue: Configurations to run before the strategy is asked.
        durability: ``"full"`` waits for the disk at each commit, so that a power cut loses
            nothing; ``"normal"`` survives any crash of the program.
    """

    name: str
    seed: int
    strategy: PluginChoice
    objectives: tuple[Objective, ...]
    job: JobSettings
    space: SearchSpace
    workers: int = 1
    constraints: tuple[Constraint, ...] = ()
    budget: Budget = Budget()
    backend: PluginChoice = PluginChoice("local")
    observers: tuple[str | PluginChoice, ...] = ()
    job_name: str = "{name}-{trial_id}"
    tags: tuple[str, ...] = ()
    max_failures: int | None = None
    max_failures_at_start: int | None = None
    on_failure: Literal["continue", "stop"] = "continue"
    enqueue: tuple[dict[str, Value], ...] = ()
    durability: Literal["normal", "full"] = "normal"

    def __repr__(self) -> str:
        """Return what is searched, and how, in one line."""
        wanted = ", ".join(f"{each.direction} {each.metric}" for each in self.objectives)
        searched = counted(len(self.space.names), "parameter")
        return f"<StudyConfig {self.name!r}: {wanted}, {searched}, {self.strategy.name}>"

    def spelled_out(self, field: str, value: Any) -> Any:
        match field, value:
            case (("strategy" | "backend"), str()):
                return PluginChoice(value)
            case "budget", _ if not isinstance(value, Budget | Mapping):
                raise ValueError(not_a_budget(value))
            case "objectives", Objective():
                return (value,)
            case "constraints", list() | tuple():
                return [Constraint(each) if isinstance(each, str) else each for each in value]
            case "space", list() | tuple():
                return SearchSpace(tuple(value))
            case _:
                return value

    def faults(self) -> list[Fault]:
        faults = list(range_faults(msgspec.structs.asdict(self)))
        faults += _endless(msgspec.to_builtins(self), "")
        faults += texts(self.job, self.job_name, values_of(self.space.parameters)).faults()
        for index, values in enumerate(self.enqueue):
            try:
                self.space.configuration(values)
            except InvalidInput as error:
                faults += [fault.under(f"enqueue[{index}]") for fault in error.faults]
        return faults


def range_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the faults of the fields that are present, each checked by itself."""
    if "name" in values:
        yield from name_faults(values["name"])
    if not 0 <= values.get("seed", 0) < 2**63:
        yield Fault("seed", f"must be from 0 to 2^63 - 1, got {values['seed']}")
    if values.get("workers", 1) < 1:
        yield Fault("workers", f"must be 1 or more, got {values['workers']}")
    if (values.get("max_failures") or 0) < 0:
        yield Fault("max_failures", f"must be 0 or more, got {values['max_failures']}")
    if (values.get("max_failures_at_start") or 0) < 0:
        message = f"must be 0 or more, got {values['max_failures_at_start']}"
        yield Fault("max_failures_at_start", message)
    if values.get("on_failure") == "stop" and values.get("max_failures") is not None:
        yield Fault("max_failures", "has no effect if on_failure is 'stop'; leave one out")
    if "objectives" in values:
        metrics = [objective.metric for objective in values["objectives"]]
        if not metrics:
            yield Fault("objective", "give at least one")
        if len(set(metrics)) < len(metrics):
            yield Fault("objective", "two objectives are on the same metric")
    constrained = [constraint.metric for constraint in values.get("constraints", ())]
    if len(set(constrained)) < len(constrained):
        yield Fault("constraints", "two constraints are on the same metric; keep the tighter one")


def _endless(tree: object, path: str) -> Iterator[Fault]:
    """Yield the numbers that JSON cannot express and that a store would not preserve."""
    match tree:
        case float() if not math.isfinite(tree):
            yield Fault(path, f"must be a finite number, got {tree}; for no limit leave it out")
        case dict():
            for key, value in tree.items():
                yield from _endless(value, f"{path}.{key}" if path else str(key))
        case list() | tuple():
            for index, value in enumerate(tree):
                yield from _endless(value, f"{path}[{index}]")


def name_faults(name: str) -> Iterator[Fault]:
    """Yield the faults of a study's name, which must be a valid name of a folder."""
    if not is_good_name(name):
        yield Fault(
            "name",
            f"{name!r} is not a valid name; use up to 100 letters, digits, spaces and . _ + -, "
            "beginning with a letter or digit",
        )


def texts(job: JobSettings, job_name: str, parameters: Known) -> Texts:
    """Return the texts of a study that may contain placeholders; see `Texts`."""
    return Texts(job.command, job.environment, job_name, job.metrics_file, job.tags, parameters)


# -- serialization ----------------------------------------------------------------

NEW_STUDY: dict[str, Any] = {"max_failures_at_start": 5}
"""Defaults of a new study for keys that older studies do not have; their fields are None until
`settled`. What older studies have is in `hpo_core.store.migration`."""

NEW_JOB: dict[str, Any] = {"on_time_limit": "complete"}
"""The same for the table ``job``."""


def settled(config: StudyConfig, stored: StudyConfig | None = None) -> StudyConfig:
    """Return a configuration with every key filled in.

    A key omitted in a study file takes the value of the stored study, so that new defaults never
    affect an existing study. In a new study it takes the current default.

    Args:
        config: The configuration as given.
        stored: The stored configuration of the same study; None for a new study.
    """
    job = _filled(config.job, NEW_JOB, stored and stored.job)
    return _filled(msgspec.structs.replace(config, job=job), NEW_STUDY, stored)


def _filled(given: S, defaults: Mapping[str, Any], stored: S | None) -> S:
    left_open = [key for key in defaults if getattr(given, key) is None]
    values = {key: defaults[key] if stored is None else getattr(stored, key) for key in left_open}
    return msgspec.structs.replace(given, **values)


def to_json(config: StudyConfig) -> str:
    """Serialize a configuration to the JSON of the store."""
    return msgspec.json.encode(config).decode()


def from_json(text: str) -> StudyConfig:
    """Read a stored configuration.

    Raises:
        InvalidInput: If the text is not an output of `to_json`.
    """
    try:
        return msgspec.json.decode(text.encode(), type=StudyConfig)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InvalidInput([Fault("stored configuration", str(error))]) from error


def differences(stored: StudyConfig, given: StudyConfig) -> list[str]:
    """Return a line for each key that differs: ``budget.jobs: 30 -> 50``.

    Of a list, only the elements that differ are included. If the plugin differs, its options are
    omitted.
    """
    old, new = (dict(_flat(json.loads(to_json(config)), "")) for config in (stored, given))
    replaced = tuple(
        f"{role}.options"
        for role in ("strategy", "backend")
        if old[f"{role}.name"] != new[f"{role}.name"]
    )
    return [
        line
        for key in dict.fromkeys([*old, *new])
        if _shown(old, key) != _shown(new, key) and not key.startswith(replaced)
        for line in _difference(key, old, new)
    ]


def _difference(key: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    """Yield the lines for a key that differs."""
    match old.get(key), new.get(key):
        case [*before], [*now] if len(before) == len(now):
            for place, (one, other) in enumerate(zip(before, now, strict=True)):
                if json.dumps(one) != json.dumps(other):
                    yield f"{key}[{place}]: {json.dumps(one)} -> {json.dumps(other)}"
        case [*before], [*now] if before and now:
            pairs = zip(map(json.dumps, before), map(json.dumps, now), strict=False)
            same = [one == other for one, other in pairs]
            first = same.index(False) if False in same else len(same)
            yield f"{key}[{first}:]: {json.dumps(before[first:])} -> {json.dumps(now[first:])}"
        case _:
            yield f"{key}: {_shown(old, key)} -> {_shown(new, key)}"


def _flat(tree: object, path: str) -> Iterator[tuple[str, object]]:
    match tree:
        case {"parameters": list(parameters), "forbidden": forbidden} if path == "space":
            for parameter in parameters:
                yield from _flat(parameter, f"parameters.{parameter['name']}")
            yield from _flat(forbidden, "forbidden")
        case dict() if tree:
            for key, value in tree.items():
                yield from _flat(value, f"{path}.{key}" if path else key)
        case list() if tree and all(isinstance(item, dict) for item in tree):
            for index, item in enumerate(tree):
                yield from _flat(item, f"{path}[{index}]")
        case _:
            yield path, tree


def _shown(flat: Mapping[str, object], key: str) -> str:
    return json.dumps(flat[key]) if key in flat else "(nothing)"
