"""Public namespaces: users' names in `hpo_core`, exceptions in `hpo_core.errors`, authors' names in
`hpo_core.plugin`.
"""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hpo_core
import hpo_core.errors
import hpo_core.plugin
import hpo_core.testing
from hpo_core import Budget, Int, Study, load_study

ROOT = Path(__file__).parents[1]
STUB = (ROOT / "hpo_core/__init__.pyi").read_text(encoding="utf-8")
DEPRECATED = {
    name: home
    for home, name in re.findall(r"^from (\S+) import \w+ as (\w+)  # deprecated", STUB, re.M)
}
MOVED = {name: home for name, home in DEPRECATED.items() if home != "hpo_core.study.flat"}
REPLACED = {
    "Imported": "Study.import_trials returns it",
    "Replayed": "Study.replay returns it",
    "export_study": "use Study.export",
    "extend": "use Study.extend",
    "import_study": "use Study.import_trials",
    "replay": "use Study.replay",
}
NAMESPACES = [hpo_core, hpo_core.errors, hpo_core.plugin, hpo_core.testing]


@pytest.mark.parametrize("module", NAMESPACES)
def test_every_public_name_is_there_and_is_listed(module: ModuleType) -> None:
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is getattr(module, name)
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("module", [module.__name__ for module in NAMESPACES])
def test_importing_a_namespace_loads_nothing_but_the_way_to_its_names(module: str) -> None:
    assert set(run(f"{LOADED}import {module}; print(*loaded())").split()) == {
        "hpo_core",
        "hpo_core.lazy",
        module,
    }


LOADED = """\
import sys
before = set(sys.modules)
def loaded():
    new = sys.modules.keys() - before
    return [name for name in new if name.split(".")[0] not in sys.stdlib_module_names]
"""


def run(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_dir_shows_the_public_names_alone_whatever_is_loaded() -> None:
    code = "import hpo_core; print(*(name for name in dir(hpo_core) if not name.startswith('__')))"
    public = sorted(set(hpo_core.__all__) - {"__version__"})
    assert run(code).split() == public
    assert run(f"import hpo_core.cli.main\n{code}").split() == public
    assert len(public) <= 30


def test_a_star_import_takes_the_public_names_without_a_warning() -> None:
    printed = run("from hpo_core import *; print('Study' in dir(), 'StudyFailed' in dir())")
    assert printed == "True False\n"


def test_the_exceptions_are_reachable_without_another_import() -> None:
    code = "import hpo_core as hpo; print(hpo.errors.StudyRunning.__name__, *loaded())"
    assert set(run(LOADED + code).split()) == {
        "StudyRunning",
        "hpo_core",
        "hpo_core.errors",
        "hpo_core.lazy",
        "hpo_core.model",
        "hpo_core.model.errors",
    }


@pytest.mark.parametrize("name", hpo_core.errors.__all__)
def test_an_exception_shows_its_public_place_and_can_be_pickled(name: str) -> None:
    error = getattr(hpo_core.errors, name)
    assert issubclass(error, hpo_core.HpoError)
    assert pickle.loads(pickle.dumps(error)) is error
    shown = traceback.format_exception_only(error, error(()))
    assert shown[0].startswith(f"hpo_core.errors.{name}")


@pytest.mark.parametrize("name", MOVED)
def test_a_name_that_has_moved_works_in_its_old_place_and_names_the_new_one(name: str) -> None:
    message = f"hpo_core.{name} is deprecated: write `from {MOVED[name]} import {name}`"
    with pytest.warns(DeprecationWarning, match=re.escape(message)) as warned:
        found = getattr(hpo_core, name)
    assert found is getattr(sys.modules[MOVED[name]], name)
    assert warned[0].filename == __file__


def test_names_that_have_moved_are_public_in_their_new_place_alone() -> None:
    assert {"Strategy", "PluginChoice", "StudyRunning"} <= set(MOVED)
    for name, home in MOVED.items():
        assert name in sys.modules[home].__all__
    assert not {*hpo_core.__all__, *dir(hpo_core)} & set(DEPRECATED)


@pytest.mark.parametrize("name", REPLACED)
def test_a_name_that_a_method_has_replaced_works_and_names_the_method(name: str) -> None:
    message = f"hpo_core.{name} is deprecated: {REPLACED[name]}; the old name works until 2028"
    with pytest.warns(DeprecationWarning, match=re.escape(message)) as warned:
        found = getattr(hpo_core, name)
    assert found.__name__ == name
    assert warned[0].filename == __file__


def test_every_deprecated_name_is_tested() -> None:
    assert set(DEPRECATED) == {*MOVED, *REPLACED}


def test_the_deprecated_functions_extend_and_replay_a_study(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        from hpo_core import Replayed, extend, replay
    store = tmp_path / "hpo.db"
    study = Study(
        function=double,
        parameters=[Int("x", 1, 9)],
        objective="loss",
        direction="minimize",
        strategy="grid",
        budget={"trials": 2},
        backend="inline",
        name="old",
        store=store,
    ).run(progress=False)
    assert extend(store, "old", Budget(trials=3)) == Budget(trials=3)
    load_study(store, "old").resume(progress=False)
    assert len(study.trials) == 3
    replayed = replay(store, "old")
    assert isinstance(replayed, Replayed)
    assert replayed == study.replay()


def double(configuration: hpo_core.Configuration) -> float:
    return 2.0 * configuration["x"]


def test_what_users_and_authors_both_need_is_the_same_in_both_places() -> None:
    both = {*hpo_core.__all__, *hpo_core.errors.__all__} & set(hpo_core.plugin.__all__)
    assert {"Float", "Objective", "InvalidInput", "StrategyError"} <= both
    for name in both:
        home = hpo_core if name in hpo_core.__all__ else hpo_core.errors
        assert getattr(home, name) is getattr(hpo_core.plugin, name)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'hpo_core' has no attribute 'Optimise'"):
        hpo_core.Optimise  # type: ignore[attr-defined]


def test_nothing_of_this_project_uses_the_old_places() -> None:
    folders = ("plugins", "examples", "docs", "benchmarks", "hpo_core", "tests")
    files = [ROOT / "README.md", *(f for name in folders for f in (ROOT / name).rglob("*.*"))]
    old = [
        f"{file.relative_to(ROOT)}: {', '.join(sorted(found))}"
        for file in files
        if file.suffix in {".py", ".md", ".in", ".ipynb"}
        and "earlier_plugins" not in file.parts
        and file.relative_to(ROOT).as_posix() not in ABOUT_OLD_PLACES
        if (found := set(used(file.read_text(encoding="utf-8"))) & set(DEPRECATED))
    ]
    assert old == []


def test_what_counts_as_a_use() -> None:
    assert set(used("from hpo_core import (\n    Study,\n    replay,\n)")) == {"Study", "replay"}
    assert set(used("import hpo_core as hpo\nhpo.extend(); hpo_core.NoResult")) == {
        "extend",
        "NoResult",
    }
    assert not set(used("hpo_core.errors.NoResult; hpo.errors.StoreError")) & set(DEPRECATED)


ABOUT_OLD_PLACES = {
    "docs/compatibility.md",
    "tests/test_exchanges.py",  # tests the deprecated functions that export and import
    "tests/test_namespaces.py",
}


def used(text: str) -> Iterator[str]:
    """Yield the names that a text takes from `hpo_core` itself."""
    for names in re.findall(r"from hpo_core import (\([^)]*\)|[^\n]*)", text):
        yield from re.findall(r"\w+", names)
    yield from re.findall(r"(?<![\w./])(?:hpo|hpo_core)\.(\w+)", text)
