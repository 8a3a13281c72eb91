"""The names of the contract kits, each stated once: `hpo_core.lazy` reads these lines, too."""

from hpo_core.testing.backends import BackendContract as BackendContract
from hpo_core.testing.first_completion import jobs_to_complete as jobs_to_complete
from hpo_core.testing.installed import InstalledContract as InstalledContract
from hpo_core.testing.library import options_table as options_table
from hpo_core.testing.library import other_defaults as other_defaults
from hpo_core.testing.library import suggestions as suggestions
from hpo_core.testing.parity import VALLEY as VALLEY
from hpo_core.testing.parity import valley as valley
from hpo_core.testing.parity import valley_points as valley_points
from hpo_core.testing.strategy_contract import SHORT_CHECKS as SHORT_CHECKS
from hpo_core.testing.strategy_contract import StrategyContract as StrategyContract
