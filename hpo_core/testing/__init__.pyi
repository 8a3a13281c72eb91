"""The names of the contract kits, each stated once: `hpo_core.lazy` reads these lines, too."""

from hpo_core.testing.backends import BackendContract as BackendContract
from hpo_core.testing.first_completion import jobs_to_complete as jobs_to_complete
from hpo_core.testing.library import options_table as options_table
from hpo_core.testing.library import other_defaults as other_defaults
from hpo_core.testing.library import suggestions as suggestions
from hpo_core.testing.strategy_contract import StrategyContract as StrategyContract
