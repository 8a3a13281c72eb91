"""The contract of backends as a test class to inherit: define `make_backend` and `work`.

    class TestMyBackend(BackendContract):
        work = "function"

        def make_backend(self, context: BackendContext) -> Backend:
            return MyBackend(context)

A backend that runs both commands and functions inherits it twice. A class attribute declares what
a backend cannot do by its nature; those checks are skipped, with the reason.
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
    """Inherit it in a test class. Every method called ``test_…`` checks one promise of a backend.

    `hpo_core.testing.backend_checks.base.BackendChecks` describes its attributes and methods:
    ``make_backend``, ``work``, ``in_process``, ``sets_variables``, ``numbers_workers``,
    ``queues``, ``idle_wakes``, ``quick_jobs``, ``resources``, ``make_distant_backend``,
    ``lose_worker``.
    """
