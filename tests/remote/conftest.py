"""Tests with a local object store; ``make integration-remote`` runs them, since it has moto."""

from __future__ import annotations

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("moto") else ["test_*.py"]
