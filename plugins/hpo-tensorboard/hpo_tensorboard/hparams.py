"""What the tab HPARAMS of TensorBoard shows: the columns of a study, and the row of a trial.

The columns are written once, for the study: TensorBoard takes those of one run for all, and a trial
lacks the parameters that are inactive in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from tensorboardX.proto.api_pb2 import (
    DataType,
    Experiment,
    HParamInfo,
    MetricInfo,
    MetricName,
    Status,
)
from tensorboardX.proto.plugin_hparams_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata

from hpo_core.plugin import (
    Categorical,
    Constant,
    Parameter,
    ParameterSet,
    SearchSpace,
    Value,
)


def kinds_of(space: Mapping[str, Any]) -> dict[str, type]:
    """Return the type of each parameter in TensorBoard: `float`, `bool`, or `str` for all others.

    Args:
        space: The search space as plain JSON.
    """
    parameters = msgspec.convert(space, SearchSpace).parameters
    return {name: _kind(values) for axis in parameters for name, values in _values(axis).items()}


def columns(kinds: Mapping[str, type], metrics: Iterable[str], time: float) -> Any:
    """Return the summary with the columns of a study.

    Args:
        kinds: The type of each parameter.
        metrics: The metrics.
        time: When the study started, in seconds since the epoch.
    """
    types = {float: "DATA_TYPE_FLOAT64", bool: "DATA_TYPE_BOOL", str: "DATA_TYPE_STRING"}
    experiment = Experiment(
        time_created_secs=time,
        hparam_infos=[
            HParamInfo(name=name, type=DataType.Value(types[kind])) for name, kind in kinds.items()
        ],
        metric_infos=[MetricInfo(name=MetricName(tag=metric)) for metric in metrics],
    )
    return _summary("experiment", HParamsPluginData(experiment=experiment))


def start(configuration: Mapping[str, Value], kinds: Mapping[str, type], time: float) -> Any:
    """Return the summary with the configuration of a trial."""
    info = SessionStartInfo(start_time_secs=time)
    for name, value in configuration.items():
        match kinds.get(name, str)(value) if value is not None else None:
            case bool(truth):
                info.hparams[name].bool_value = truth
            case float(number):
                info.hparams[name].number_value = number
            case str(text):
                info.hparams[name].string_value = text
    return _summary("session_start_info", HParamsPluginData(session_start_info=info))


def end(time: float, *, succeeded: bool) -> Any:
    """Return the summary with the end of a trial."""
    status = Status.Value("STATUS_SUCCESS" if succeeded else "STATUS_FAILURE")
    info = SessionEndInfo(status=status, end_time_secs=time)
    return _summary("session_end_info", HParamsPluginData(session_end_info=info))


def _summary(name: str, data: Any) -> Any:
    plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=data.SerializeToString())
    metadata = SummaryMetadata(plugin_data=plugin)
    return Summary(value=[Summary.Value(tag=f"_hparams_/{name}", metadata=metadata)])


def _values(axis: Parameter) -> dict[str, list[Value]]:
    """Return examples of the values of each parameter of an axis."""
    match axis:
        case Categorical():
            return {axis.name: list(axis.choices)}
        case Constant():
            return {axis.name: [axis.value]}
        case ParameterSet():
            return {name: [each[name] for each in axis.combinations] for name in axis.names}
        case _:
            return {axis.name: [0.0]}


def _kind(values: Iterable[Value]) -> type:
    found = {type(value) for value in values if value is not None}
    if found == {bool}:
        return bool
    return float if found <= {int, float} else str
