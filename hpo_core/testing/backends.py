"""The contract of backends as tests to inherit: give `make_backend`, and say what it runs.

    class TestMyBackend(BackendContract):
        work = "function"

        def make_backend(self, context: BackendContext) -> Backend:
            return MyBackend(context)

A backend that runs commands and functions inherits it twice. What a backend can't do by its nature
it says with a class attribute, and those checks are skipped with that reason.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("hpo_core.testing.backend_checks", "hpo_core.testing.driver")

from hpo_core.testing.backend_checks.distance import Distance  # noqa: E402  # once asserts can explain
from hpo_core.testing.backend_checks.ending import Ending  # noqa: E402
from hpo_core.testing.backend_checks.leaving import Leaving  # noqa: E402
from hpo_core.testing.backend_checks.running import Running  # noqa: E402
from hpo_core.testing.backend_checks.waiting import Waiting  # noqa: E402


class BackendContract(Running, Ending, Waiting, Distance, Leaving):
    """Inherit it in a test class: every method called ``test_…`` is one promise of a backend.

    What to say of a backend is explained in `hpo_core.testing.backend_checks.base.BackendChecks`:
    ``make_backend``, ``work``, ``in_process``, ``sets_variables``, ``idle_wakes``, ``quick_jobs``,
    ``resources``, ``make_distant_backend``, ``lose_worker``.
    """
