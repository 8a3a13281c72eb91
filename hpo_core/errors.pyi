"""Exceptions, each stated once: `hpo_core.lazy` reads the lines below, and so do type checkers."""

from hpo_core.model.errors import BackendError as BackendError
from hpo_core.model.errors import BrokenPlugin as BrokenPlugin
from hpo_core.model.errors import DuplicatePlugin as DuplicatePlugin
from hpo_core.model.errors import HpoError as HpoError
from hpo_core.model.errors import InvalidInput as InvalidInput
from hpo_core.model.errors import NoResult as NoResult
from hpo_core.model.errors import PluginError as PluginError
from hpo_core.model.errors import StoreError as StoreError
from hpo_core.model.errors import StrategyError as StrategyError
from hpo_core.model.errors import StudyChanged as StudyChanged
from hpo_core.model.errors import StudyFailed as StudyFailed
from hpo_core.model.errors import StudyRunning as StudyRunning
from hpo_core.model.errors import UnknownJob as UnknownJob
from hpo_core.model.errors import UnknownPlugin as UnknownPlugin
from hpo_core.model.errors import UnknownStudy as UnknownStudy
from hpo_core.model.errors import UnknownTrial as UnknownTrial
from hpo_core.model.errors import Unsupported as Unsupported
