"""hpo-core: hyper-parameter optimisation with pluggable strategies. Its public API is here.

Names are loaded when they are first used, so that ``import hpo_core`` loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpo_core.client import JobInfo as JobInfo
    from hpo_core.client import JobStopped as JobStopped
    from hpo_core.client import job as job
    from hpo_core.client import report as report
    from hpo_core.config import StudyConfig as StudyConfig
    from hpo_core.contracts import CONTRACT_VERSION as CONTRACT_VERSION
    from hpo_core.contracts.backend import Backend as Backend
    from hpo_core.contracts.backend import BackendContext as BackendContext
    from hpo_core.contracts.backend import BackendSpec as BackendSpec
    from hpo_core.contracts.backend import Clock as Clock
    from hpo_core.contracts.backend import Finished as Finished
    from hpo_core.contracts.backend import JobEvent as JobEvent
    from hpo_core.contracts.backend import Outcome as Outcome
    from hpo_core.contracts.backend import Reported as Reported
    from hpo_core.contracts.backend import Started as Started
    from hpo_core.contracts.backend import Work as Work
    from hpo_core.contracts.composition import StrategyChoice as StrategyChoice
    from hpo_core.contracts.exchange import ExchangedStudy as ExchangedStudy
    from hpo_core.contracts.exchange import ExchangedTrial as ExchangedTrial
    from hpo_core.contracts.exchange import ExchangeSpec as ExchangeSpec
    from hpo_core.contracts.hookspecs import hookimpl as hookimpl
    from hpo_core.contracts.observer import FinishedJob as FinishedJob
    from hpo_core.contracts.observer import JobFinished as JobFinished
    from hpo_core.contracts.observer import JobReported as JobReported
    from hpo_core.contracts.observer import JobStarted as JobStarted
    from hpo_core.contracts.observer import Observer as Observer
    from hpo_core.contracts.observer import Progress as Progress
    from hpo_core.contracts.observer import StudyEnded as StudyEnded
    from hpo_core.contracts.observer import StudyEvent as StudyEvent
    from hpo_core.contracts.observer import StudyStarted as StudyStarted
    from hpo_core.contracts.strategy import Asked as Asked
    from hpo_core.contracts.strategy import BaseStrategy as BaseStrategy
    from hpo_core.contracts.strategy import Capability as Capability
    from hpo_core.contracts.strategy import Exhausted as Exhausted
    from hpo_core.contracts.strategy import History as History
    from hpo_core.contracts.strategy import NoOptions as NoOptions
    from hpo_core.contracts.strategy import Problem as Problem
    from hpo_core.contracts.strategy import Resume as Resume
    from hpo_core.contracts.strategy import SavedState as SavedState
    from hpo_core.contracts.strategy import Start as Start
    from hpo_core.contracts.strategy import Strategy as Strategy
    from hpo_core.contracts.strategy import StrategySpec as StrategySpec
    from hpo_core.contracts.strategy import Told as Told
    from hpo_core.contracts.strategy import Wait as Wait
    from hpo_core.contracts.strategy import same_answer as same_answer
    from hpo_core.engine.exporting import export_study as export_study
    from hpo_core.engine.importing import Imported as Imported
    from hpo_core.engine.importing import import_study as import_study
    from hpo_core.engine.opening import extend as extend
    from hpo_core.engine.optimizer import HyperParameterOptimizer as HyperParameterOptimizer
    from hpo_core.engine.replay import Replayed as Replayed
    from hpo_core.engine.replay import replay as replay
    from hpo_core.engine.result import Result as Result
    from hpo_core.model.budget import Budget as Budget
    from hpo_core.model.budget import Usage as Usage
    from hpo_core.model.constraint import Constraint as Constraint
    from hpo_core.model.errors import BackendError as BackendError
    from hpo_core.model.errors import BrokenPlugin as BrokenPlugin
    from hpo_core.model.errors import DuplicatePlugin as DuplicatePlugin
    from hpo_core.model.errors import Fault as Fault
    from hpo_core.model.errors import HpoError as HpoError
    from hpo_core.model.errors import InvalidInput as InvalidInput
    from hpo_core.model.errors import NoResult as NoResult
    from hpo_core.model.errors import PluginError as PluginError
    from hpo_core.model.errors import StoreError as StoreError
    from hpo_core.model.errors import StrategyError as StrategyError
    from hpo_core.model.errors import StudyChanged as StudyChanged
    from hpo_core.model.errors import StudyFailed as StudyFailed
    from hpo_core.model.errors import StudyRunning as StudyRunning
    from hpo_core.model.errors import UnknownPlugin as UnknownPlugin
    from hpo_core.model.errors import UnknownStudy as UnknownStudy
    from hpo_core.model.errors import Unsupported as Unsupported
    from hpo_core.model.errors import nearest as nearest
    from hpo_core.model.job import Job as Job
    from hpo_core.model.job import JobState as JobState
    from hpo_core.model.job import StudyState as StudyState
    from hpo_core.model.job import TrialState as TrialState
    from hpo_core.model.lattice import Lattice as Lattice
    from hpo_core.model.objective import Objective as Objective
    from hpo_core.model.objective import pareto_front as pareto_front
    from hpo_core.model.parameters import Categorical as Categorical
    from hpo_core.model.parameters import Constant as Constant
    from hpo_core.model.parameters import Float as Float
    from hpo_core.model.parameters import Int as Int
    from hpo_core.model.parameters import Parameter as Parameter
    from hpo_core.model.parameters import ParameterSet as ParameterSet
    from hpo_core.model.report import Decision as Decision
    from hpo_core.model.report import Report as Report
    from hpo_core.model.report import Status as Status
    from hpo_core.model.space import SearchSpace as SearchSpace
    from hpo_core.model.values import Configuration as Configuration
    from hpo_core.model.values import Value as Value
    from hpo_core.model.values import same_value as same_value
    from hpo_core.plugins.building import BuiltStrategy as BuiltStrategy
    from hpo_core.plugins.building import build_strategy as build_strategy
    from hpo_core.study.optimize import optimize as optimize
    from hpo_core.study.study import Study as Study
    from hpo_core.study.study import load_study as load_study
    from hpo_core.study.study import studies as studies

__version__ = "0.1.0"

_HOMES = {
    "client": "JobInfo JobStopped job report",
    "config": "StudyConfig",
    "contracts": "CONTRACT_VERSION",
    "contracts.backend": (
        "Backend BackendContext BackendSpec Clock Finished JobEvent Outcome Reported Started Work"
    ),
    "contracts.composition": "StrategyChoice",
    "contracts.exchange": "ExchangeSpec ExchangedStudy ExchangedTrial",
    "contracts.hookspecs": "hookimpl",
    "contracts.observer": (
        "FinishedJob JobFinished JobReported JobStarted Observer Progress StudyEnded StudyEvent"
        " StudyStarted"
    ),
    "contracts.strategy": (
        "Asked BaseStrategy Capability Exhausted History NoOptions Problem Resume SavedState"
        " Start Strategy StrategySpec Told Wait same_answer"
    ),
    "engine.exporting": "export_study",
    "engine.importing": "Imported import_study",
    "engine.opening": "extend",
    "engine.optimizer": "HyperParameterOptimizer",
    "engine.replay": "Replayed replay",
    "engine.result": "Result",
    "model.budget": "Budget Usage",
    "model.constraint": "Constraint",
    "model.errors": (
        "BackendError BrokenPlugin DuplicatePlugin Fault HpoError InvalidInput NoResult PluginError"
        " StoreError StrategyError StudyChanged StudyFailed StudyRunning UnknownPlugin UnknownStudy"
        " Unsupported nearest"
    ),
    "model.job": "Job JobState StudyState TrialState",
    "model.lattice": "Lattice",
    "model.objective": "Objective pareto_front",
    "model.parameters": "Categorical Constant Float Int Parameter ParameterSet",
    "model.report": "Decision Report Status",
    "model.space": "SearchSpace",
    "model.values": "Configuration Value same_value",
    "plugins.building": "BuiltStrategy build_strategy",
    "study.optimize": "optimize",
    "study.study": "Study load_study studies",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = ["__version__", *_HOME]  # the names above, each a string


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hpo_core' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"hpo_core.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
