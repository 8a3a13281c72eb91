"""`HpoSearchCV`: scikit-learn's `GridSearchCV` with any strategy of hpo-core.

search.py       HpoSearchCV
candidates.py   grids, distributions and parameters of hpo-core to a search space
evaluation.py   the job: one configuration, fold by fold
stored.py       resume the study of a search from its store
results.py      the trials of a study to `cv_results_`
"""

from hpo_sklearn.search import HpoSearchCV

__all__ = ["HpoSearchCV"]
