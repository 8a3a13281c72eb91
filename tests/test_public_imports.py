"""Tests of behaviour use public names; tests with internal imports are listed here.

A test may import the module that it tests: those in ``tests/model`` import from
`hpo_core.model`, and so on; ``tests/test_config.py`` imports `hpo_core.config`. Other internal
imports are exceptions, each for one of these reasons: the test checks the content of a store or a
damaged store, it compares a page with the code, or it fuzzes a parser.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PUBLIC = {
    "hpo_core",
    "hpo_core.client",
    "hpo_core.errors",
    "hpo_core.plugin",
    "hpo_core.testing",
}

EXCEPTIONS: dict[str, set[str]] = {
    "plugins/hpo-asha/tests/test_stored.py": {"hpo_core.config", "hpo_core.store.store"},
    "plugins/hpo-bohb/tests/test_recovery.py": {"hpo_core.testing.simulator"},
    "plugins/hpo-bohb/tests/test_strategy.py": {"hpo_core.testing.simulator"},
    "tests/backends/remote/contract.py": {"hpo_core.scaffold"},
    "tests/cli/test_running_jobs.py": {"hpo_core.controller.strategy.read_config"},
    "tests/cli/test_tables.py": {"hpo_core.model.text"},
    "tests/cli/test_trust.py": {
        "hpo_core.controller.stored.open_study",
        "hpo_core.controller.stored.trust",
        "hpo_core.store.store",
    },
    "tests/contracts/test_plots.py": {"hpo_core.study.plots"},
    "tests/contracts/test_reader.py": {
        "hpo_core.controller.clock",
        "hpo_core.controller.run.metrics_readers",
    },
    "tests/controller/test_constraints.py": {"hpo_core.config", "hpo_core.config_file"},
    "tests/controller/test_recovery.py": {
        "hpo_core.backends.supervisor.processes",
        "hpo_core.config",
        "hpo_core.store.store",
    },
    "tests/controller/test_retries.py": {"hpo_core.store.store"},
    "tests/controller/test_targets.py": {"hpo_core.config"},
    "tests/controller/test_unfinished.py": {"hpo_core.store.store"},
    "tests/draft/test_draft.py": {"hpo_core.config_file"},
    "tests/faults/fuzz.py": {
        "hpo_core.backends.local",
        "hpo_core.backends.local.messages",
        "hpo_core.backends.supervisor.lines",
        "hpo_core.study_file",
    },
    "tests/faults/fuzz_calls.py": {"hpo_core.cli"},
    "tests/faults/pauses.py": {"hpo_core.backends.supervisor.processes"},
    "tests/faults/test_bad_machine.py": {"hpo_core.store"},
    "tests/reference/test_commands.py": {"hpo_core.cli.main"},
    "tests/reference/test_hooks.py": {"hpo_core.contracts"},
    "tests/reference/test_study_file.py": {
        "hpo_core.config",
        "hpo_core.config_file",
        "hpo_core.model.durations",
    },
    "tests/registry/test_options_and_capabilities.py": {"hpo_core.controller.strategy.resolve"},
    "tests/registry/test_versions.py": {"hpo_core.controller.strategy.resolve"},
    "tests/store/test_migration.py": {
        "hpo_core.config",
        "hpo_core.controller.stored.open_study",
        "hpo_core.model.templates",
    },
    "tests/store/test_opening.py": {"hpo_core.model.errors"},
    "tests/store/test_what_is_kept.py": {"hpo_core.model.values"},
    "tests/study/test_kinds_of_spaces.py": {"hpo_core.cli.main"},
    "tests/test_config.py": {"hpo_core.misuse"},
    "tests/test_docs.py": {"hpo_core.controller.strategy.read_config"},
    "tests/test_docs_completeness.py": {
        "hpo_core.cli.main",
        "hpo_core.config_file",
        "hpo_core.model.templates",
    },
    "tests/test_exchanges.py": {"hpo_core.store.store"},
    "tests/test_metrics_keys.py": {
        "hpo_core.config_file",
        "hpo_core.controller.strategy.build",
        "hpo_core.misuse",
    },
    "tests/test_misuse.py": {
        "hpo_core.config",
        "hpo_core.config_file",
        "hpo_core.controller.dry_run",
        "hpo_core.store.store",
    },
    "tests/test_protocol.py": {"hpo_core.testing.installed"},
    "tests/test_reference.py": {
        "hpo_core.controller.dry_run",
        "hpo_core.controller.results.curves",
        "hpo_core.controller.results.summary",
        "hpo_core.controller.results.trial_result",
        "hpo_core.controller.stored.audit",
        "hpo_core.controller.stored.copy_study",
        "hpo_core.controller.stored.import_trials",
        "hpo_core.study.overview",
    },
    "tests/test_scaffold.py": {"hpo_core.cli.scaffold"},
    "tests/test_security.py": {
        "hpo_core.config",
        "hpo_core.controller.strategy.read_config",
        "hpo_core.store.store",
        "hpo_core.testing.driver",
    },
    "tests/test_study_text.py": {
        "hpo_core.config",
        "hpo_core.config_file",
        "hpo_core.controller.stored.study_text",
        "hpo_core.study_file",
    },
    "tests/test_typed_commands.py": {"hpo_core.cli.main"},
}


def internal(path: Path) -> set[str]:
    """Return the internal modules that a test imports, without those that it is a test of."""
    place = path.relative_to(ROOT)
    own = place.parts[1] if len(place.parts) > 2 else path.stem.removeprefix("test_")
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return {
        module
        for module in found - PUBLIC
        if module.startswith("hpo_core.")
        and not (place.parts[0] == "tests" and module.startswith(f"hpo_core.{own}"))
    }


def test_who_imports_from_inside_is_listed() -> None:
    tests = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/**/*.py")]
    found = {str(path.relative_to(ROOT)): internal(path) for path in tests}
    assert {path: modules for path, modules in found.items() if modules} == EXCEPTIONS
