"""On the real library: a local checkout, fetched code, the contract, and parity with Optuna."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from click.testing import CliRunner
from hpo_optunahub.command import optunahub
from hpo_optunahub.options import Options
from hpo_optunahub.plugin import build

from hpo_core import Budget, HpoError, optimize
from hpo_core.plugin import (
    Float,
    InvalidInput,
    Objective,
    Problem,
    SearchSpace,
)
from hpo_core.testing import InstalledContract, suggestions

REGISTRY = Path(__file__).parent / "registry" / "package"
HALVES = Options(package="samplers/halves", registry_root=str(REGISTRY))
PROBLEM = Problem(
    space=SearchSpace((Float("x", 0.0, 1.0), Float("y", 1e-3, 1.0, log=True))),
    objectives=(Objective("loss", "minimize"),),
    seed=7,
)


@pytest.mark.quick
class TestSampler(InstalledContract):
    strategy = "optunahub"
    given = {"package": HALVES.package, "registry_root": HALVES.registry_root}
    examples = 3
    long_runs = ()


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(
        ["git", *person, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with the registry, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "repository"
    package = folder / "package" / "samplers" / "halves"
    package.mkdir(parents=True)
    source = (REGISTRY / "samplers" / "halves" / "__init__.py").read_text()
    (package / "__init__.py").write_text(source)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def loss(x: float, y: float) -> float:
    return (x - 0.3) ** 2 + (y - 0.1) ** 2


def ours(options: Options) -> list[tuple[float, float]]:
    found = suggestions(build(PROBLEM, options), lambda c: loss(c["x"], c["y"]), 30)  # type: ignore[arg-type]
    return [(c["x"], c["y"]) for c in found]  # type: ignore[misc]


def native(sampler: optuna.samplers.BaseSampler) -> list[tuple[float, float]]:
    study = optuna.create_study(sampler=sampler)
    found = []
    for _ in range(30):
        trial = study.ask()
        x, y = trial.suggest_float("x", 0.0, 1.0), trial.suggest_float("y", 1e-3, 1.0, log=True)
        study.tell(trial, loss(x, y))
        found.append((x, y))
    return found


@pytest.mark.quick
def test_suggestions_are_those_of_the_sampler_in_optuna() -> None:
    import optunahub

    module = optunahub.load_local_module("samplers/halves", registry_root=str(REGISTRY))
    assert ours(HALVES) == native(module.HalvesSampler(seed=7))


def test_code_is_fetched_after_a_question_at_one_commit_which_is_stored(
    repository: Path, tmp_path: Path
) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    arguments = ["fetch", "samplers/halves", "--repository", str(repository)]
    refused = CliRunner().invoke(optunahub, arguments, input="n\n")
    assert refused.exit_code == 1
    assert not (tmp_path / "cache").exists()
    fetched = CliRunner().invoke(optunahub, arguments, input="y\n")
    assert fetched.exit_code == 0, fetched.output
    assert f'commit = "{commit}"' in fetched.output
    optimize(
        lambda c: loss(c["x"], c["y"]),
        list(PROBLEM.space.parameters),
        objective="loss",
        direction="minimize",
        budget=Budget(jobs=5),
        strategy="optunahub",
        options={"package": "samplers/halves", "commit": commit},
        backend="inline",
        store=tmp_path / "hpo.db",
        name="hub",
    )
    with closing(sqlite3.connect(tmp_path / "hpo.db")) as store:
        assert commit in "".join(store.iterdump())


def test_fetched_code_stays_as_it_was_when_the_registry_goes_on(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    arguments = ["fetch", "samplers/halves", "--repository", str(repository), "--yes"]
    CliRunner().invoke(optunahub, arguments, catch_exceptions=False)
    before = ours(Options(package="samplers/halves", commit=first))
    file = repository / "package/samplers/halves/__init__.py"
    file.write_text("raise RuntimeError('changed')")
    git(repository, "commit", "--quiet", "-am", "second")
    assert ours(Options(package="samplers/halves", commit=first)) == before


@pytest.mark.usefixtures("repository")
def test_a_package_that_is_not_there_names_the_command_that_fetches_it() -> None:
    missing = Options(package="samplers/halves", commit="0" * 40)
    with pytest.raises(InvalidInput, match="run `hpo optunahub fetch samplers/halves --commit 000"):
        build(PROBLEM, missing)


def test_a_checkout_at_another_commit_or_with_changes_is_refused(repository: Path) -> None:
    root = str(repository / "package")
    other = Options(package="samplers/halves", registry_root=root, commit="0" * 40)
    with pytest.raises(InvalidInput, match=r"is at [0-9a-f]{40}; run `git checkout 000"):
        build(PROBLEM, other)
    commit = git(repository, "rev-parse", "HEAD")
    right = Options(package="samplers/halves", registry_root=root, commit=commit)
    build(PROBLEM, right)
    (repository / "package/samplers/halves/more.py").write_text("")
    with pytest.raises(InvalidInput, match="has changes that are not committed"):
        build(PROBLEM, right)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(package="../x"), "package: give the name of a package"),
        (Options(package="samplers/x"), "commit: is missing: `hpo optunahub fetch samplers/x`"),
        (Options(package="samplers/x", commit="main"), "commit: give all 40"),
        (
            Options(package="samplers/halves", registry_root=str(REGISTRY), sampler="HalfSampler"),
            "has no sampler 'HalfSampler', but: HalvesSampler",
        ),
        (
            Options(package="samplers/halves", registry_root=str(REGISTRY), arguments={"width": 2}),
            "arguments: HalvesSampler refuses them",
        ),
        (
            Options(package="samplers/needy", registry_root=str(REGISTRY)),
            "it needs the package samplers/absent",
        ),
    ],
    ids=str,
)
def test_options_that_do_not_suit_are_refused_with_the_remedy(options: Options, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        build(PROBLEM, options)


def test_a_repository_that_fails_is_one_sentence(tmp_path: Path) -> None:
    arguments = ["fetch", "samplers/x", "--repository", str(tmp_path / "none"), "--yes"]
    with pytest.raises(HpoError, match=r"git ls-remote .* failed"):
        CliRunner().invoke(optunahub, arguments, catch_exceptions=False)
