"""Users' names, each stated once: `hpo_core.lazy` reads the lines below, and so do type checkers.

Those that end with ``# deprecated`` work with a warning, until 2028 at least, and are not public
here: see docs/compatibility.md.
"""

from hpo_core import errors as errors
from hpo_core.client import JobInfo as JobInfo
from hpo_core.client import JobStopped as JobStopped
from hpo_core.client import job as job
from hpo_core.client import report as report
from hpo_core.config import StudyConfig as StudyConfig
from hpo_core.controller.controller import HyperParameterOptimizer as HyperParameterOptimizer
from hpo_core.controller.results.result import Result as Result
from hpo_core.errors import BackendError as BackendError  # deprecated
from hpo_core.errors import NoResult as NoResult  # deprecated
from hpo_core.errors import PluginError as PluginError  # deprecated
from hpo_core.errors import StoreError as StoreError  # deprecated
from hpo_core.errors import StrategyError as StrategyError  # deprecated
from hpo_core.errors import StudyChanged as StudyChanged  # deprecated
from hpo_core.errors import StudyFailed as StudyFailed  # deprecated
from hpo_core.errors import StudyRunning as StudyRunning  # deprecated
from hpo_core.errors import UnknownStudy as UnknownStudy  # deprecated
from hpo_core.model.budget import Budget as Budget
from hpo_core.model.constraint import Constraint as Constraint
from hpo_core.model.errors import HpoError as HpoError
from hpo_core.model.errors import InvalidInput as InvalidInput
from hpo_core.model.job import JobState as JobState
from hpo_core.model.job import StudyState as StudyState
from hpo_core.model.job import TrialState as TrialState
from hpo_core.model.objective import Objective as Objective
from hpo_core.model.parameters import Categorical as Categorical
from hpo_core.model.parameters import Constant as Constant
from hpo_core.model.parameters import Float as Float
from hpo_core.model.parameters import Int as Int
from hpo_core.model.parameters import ParameterSet as ParameterSet
from hpo_core.model.resources import Resources as Resources
from hpo_core.model.space import SearchSpace as SearchSpace
from hpo_core.model.values import Configuration as Configuration
from hpo_core.plugin import CONTRACT_VERSION as CONTRACT_VERSION  # deprecated
from hpo_core.plugin import Asked as Asked  # deprecated
from hpo_core.plugin import Backend as Backend  # deprecated
from hpo_core.plugin import BackendContext as BackendContext  # deprecated
from hpo_core.plugin import BackendSpec as BackendSpec  # deprecated
from hpo_core.plugin import BaseStrategy as BaseStrategy  # deprecated
from hpo_core.plugin import BrokenPlugin as BrokenPlugin  # deprecated
from hpo_core.plugin import BuiltStrategy as BuiltStrategy  # deprecated
from hpo_core.plugin import Capability as Capability  # deprecated
from hpo_core.plugin import Clock as Clock  # deprecated
from hpo_core.plugin import Decision as Decision  # deprecated
from hpo_core.plugin import DuplicatePlugin as DuplicatePlugin  # deprecated
from hpo_core.plugin import ExchangedStudy as ExchangedStudy  # deprecated
from hpo_core.plugin import ExchangedTrial as ExchangedTrial  # deprecated
from hpo_core.plugin import ExchangeSpec as ExchangeSpec  # deprecated
from hpo_core.plugin import Exhausted as Exhausted  # deprecated
from hpo_core.plugin import Fault as Fault  # deprecated
from hpo_core.plugin import Finished as Finished  # deprecated
from hpo_core.plugin import FinishedJob as FinishedJob  # deprecated
from hpo_core.plugin import History as History  # deprecated
from hpo_core.plugin import Job as Job  # deprecated
from hpo_core.plugin import JobEvent as JobEvent  # deprecated
from hpo_core.plugin import JobFinished as JobFinished  # deprecated
from hpo_core.plugin import JobReported as JobReported  # deprecated
from hpo_core.plugin import JobSettings as JobSettings  # deprecated
from hpo_core.plugin import JobStarted as JobStarted  # deprecated
from hpo_core.plugin import Lattice as Lattice  # deprecated
from hpo_core.plugin import NoOptions as NoOptions  # deprecated
from hpo_core.plugin import Observer as Observer  # deprecated
from hpo_core.plugin import Outcome as Outcome  # deprecated
from hpo_core.plugin import Parameter as Parameter  # deprecated
from hpo_core.plugin import PluginChoice as PluginChoice  # deprecated
from hpo_core.plugin import Problem as Problem  # deprecated
from hpo_core.plugin import Progress as Progress  # deprecated
from hpo_core.plugin import Report as Report  # deprecated
from hpo_core.plugin import Reported as Reported  # deprecated
from hpo_core.plugin import Resume as Resume  # deprecated
from hpo_core.plugin import SavedState as SavedState  # deprecated
from hpo_core.plugin import Start as Start  # deprecated
from hpo_core.plugin import Started as Started  # deprecated
from hpo_core.plugin import Status as Status  # deprecated
from hpo_core.plugin import Strategy as Strategy  # deprecated
from hpo_core.plugin import StrategyChoice as StrategyChoice  # deprecated
from hpo_core.plugin import StrategySpec as StrategySpec  # deprecated
from hpo_core.plugin import StudyEnded as StudyEnded  # deprecated
from hpo_core.plugin import StudyEvent as StudyEvent  # deprecated
from hpo_core.plugin import StudyStarted as StudyStarted  # deprecated
from hpo_core.plugin import Told as Told  # deprecated
from hpo_core.plugin import UnknownPlugin as UnknownPlugin  # deprecated
from hpo_core.plugin import Unsupported as Unsupported  # deprecated
from hpo_core.plugin import Usage as Usage  # deprecated
from hpo_core.plugin import Value as Value  # deprecated
from hpo_core.plugin import Wait as Wait  # deprecated
from hpo_core.plugin import Work as Work  # deprecated
from hpo_core.plugin import build_strategy as build_strategy  # deprecated
from hpo_core.plugin import hookimpl as hookimpl  # deprecated
from hpo_core.plugin import nearest as nearest  # deprecated
from hpo_core.plugin import pareto_front as pareto_front  # deprecated
from hpo_core.study.flat import Imported as Imported  # deprecated: Study.import_trials returns it
from hpo_core.study.flat import Replayed as Replayed  # deprecated: Study.replay returns it
from hpo_core.study.flat import export_study as export_study  # deprecated: use Study.export
from hpo_core.study.flat import extend as extend  # deprecated: use Study.extend
from hpo_core.study.flat import import_study as import_study  # deprecated: use Study.import_trials
from hpo_core.study.flat import replay as replay  # deprecated: use Study.replay
from hpo_core.study.optimize import optimize as optimize
from hpo_core.study.study import Study as Study
from hpo_core.study.study import load_study as load_study
from hpo_core.study.study import studies as studies

__version__: str
