"""The options, their table in the README, their validation, and the plugin's specs.

To regenerate the table: ``python plugins/hpo-asha/tests/test_options.py``.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hpo_asha.options import AshaOptions, HyperbandOptions, MedianOptions, PBTOptions, ShaOptions
from hpo_asha.plugin import VARIANTS, build

from hpo_core.plugin import (
    Capability,
    InvalidInput,
    Objective,
    Start,
    StrategyChoice,
    StrategySpec,
    UnknownPlugin,
    Unsupported,
)

README = Path(__file__).parents[1] / "README.md"


# -- the README ------------------------------------------------------------------------------


def meanings(kind: type[Any]) -> dict[str, str]:
    """Return what a struct's docstring, and its bases', say of each option."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        text = inspect.cleandoc(base.__dict__.get("__doc__") or "")
        _, _, attributes = text.partition("Attributes:\n")
        for name, meaning in re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE):
            found[name] = " ".join(meaning.split()).replace("``", "`").rstrip(".")
    return found


def default_of(field: msgspec.structs.FieldInfo) -> str:
    default = field.default
    if isinstance(default, StrategyChoice):
        default = default.name
    return f"`{list(default) if isinstance(default, tuple) else default!r}`"


def table() -> str:
    lines = ["| option | of | default | meaning |", "|---|---|---|---|"]
    seen: dict[tuple[str, str, str], list[str]] = {}
    for name, kind, _, _ in VARIANTS:
        said = meanings(kind)
        for field in msgspec.structs.fields(kind):
            row = field.name, default_of(field), said[field.name]
            seen.setdefault(row, []).append(name)
    for (option, default, meaning), names in seen.items():
        of = "all" if len(names) == len(VARIANTS) else ", ".join(f"`{name}`" for name in names)
        lines.append(f"| `{option}` | {of} | {default} | {meaning} |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    made = f"<!-- options -->\n{table()}\n<!-- end -->"
    return re.sub(r"<!-- options -->\n.*?<!-- end -->", lambda _: made, text, flags=re.DOTALL)


def test_the_readmes_table_is_that_of_the_options() -> None:
    text = README.read_text()
    assert "<!-- options -->" in text
    assert text == with_table(text)


# -- faults ----------------------------------------------------------------------------------


def faults(problem: Any, options: Any, **more: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        build(problem(**more), options)
    return {fault.path: fault.message for fault in caught.value.faults}


@pytest.mark.parametrize(
    "options",
    [AshaOptions(), AshaOptions(type="stopping"), HyperbandOptions(), ShaOptions(), PBTOptions()],
)
def test_a_study_that_does_not_say_how_far_jobs_train_is_refused(
    problem: Any, options: Any
) -> None:
    ((path, message),) = faults(problem, options, max_iterations=None).items()
    assert path == "job.max_iterations"
    assert message.startswith("missing: ")


def test_median_rule_works_without_a_maximum_of_iterations(problem: Any) -> None:
    answer = build(problem(max_iterations=None), MedianOptions()).ask(1)
    assert isinstance(answer, Start)
    assert answer.iterations is None


@pytest.mark.parametrize(
    ("options", "more", "path", "message"),
    [
        (AshaOptions(eta=1), {}, "eta", "must be 2 or more, got 1"),
        (
            AshaOptions(grace_period=1),
            {"min_iterations": 2},
            "grace_period",
            "must be job.min_iterations, which is 2, or more, got 1",
        ),
        (
            ShaOptions(grace_period=27),
            {},
            "grace_period",
            "the lowest rung, at 27 iterations, must lie below job.max_iterations, which is 27",
        ),
        (
            AshaOptions(),
            {"min_iterations": 9, "max_iterations": 9},
            "",
            "the lowest rung, at 9 iterations, must lie below job.max_iterations, which is 9",
        ),
        (
            HyperbandOptions(brackets=5),
            {},
            "brackets",
            "must be 1 to 4, as many as there are rungs, got 5",
        ),
        (
            ShaOptions(n=26),
            {},
            "n",
            "must be 27 or more, so that one of them passes all 4 rungs, got 26",
        ),
        (MedianOptions(min_trials=0), {}, "min_trials", "must be 1 or more, got 0"),
        (PBTOptions(population_size=1), {}, "population_size", "must be 2 or more, got 1"),
        (
            PBTOptions(quantile_fraction=0.6),
            {},
            "quantile_fraction",
            "must be above 0, and 0.5 at most, got 0.6",
        ),
        (
            PBTOptions(population_size=4),
            {},
            "quantile_fraction",
            "0.2 of 4 members is less than one member; use 0.25",
        ),
        (PBTOptions(resample_probability=2), {}, "resample_probability", "must be 0 to 1, got 2"),
        (
            PBTOptions(perturbation_factors=(1.2, 0.0)),
            {},
            "perturbation_factors[1]",
            "must be a finite number above 0, got 0.0",
        ),
        (
            PBTOptions(perturb=("X",)),
            {},
            "perturb[0]",
            "there is no parameter 'X'; did you mean 'x'?",
        ),
        (
            PBTOptions(perturbation_interval=27),
            {},
            "perturbation_interval",
            "must be job.min_iterations (1) or more, and below job.max_iterations (27), got 27",
        ),
    ],
)  # fmt: skip
def test_an_unfit_option_is_named_with_what_would_fit(
    problem: Any, options: Any, more: Any, path: str, message: str
) -> None:
    assert faults(problem, options, **more) == {path: message}


def test_all_faults_come_at_once_the_searchers_too(problem: Any) -> None:
    searcher = StrategyChoice("optuna:tpe", {"n_startup": 3})
    options = HyperbandOptions(eta=0, grace_period=0, searcher=searcher)
    assert list(faults(problem, options)) == ["grace_period", "eta", "searcher.options.n_startup"]


def test_a_searcher_that_is_not_installed_is_an_error(problem: Any) -> None:
    with pytest.raises(UnknownPlugin, match="no strategy 'randon' is installed"):
        build(problem(), AshaOptions(searcher=StrategyChoice("randon")))


def test_a_searcher_that_lacks_what_the_study_needs_is_an_error(problem: Any) -> None:
    two = problem(objectives=(Objective("loss", "minimize"), Objective("size", "minimize")))
    options = AshaOptions(searcher=StrategyChoice("asha:median"))
    with pytest.raises(Unsupported, match="several objectives, which the searcher 'asha:median'"):
        build(two, options)


# -- the plugin ------------------------------------------------------------------------------


def specs() -> list[StrategySpec]:
    (entry,) = entry_points(group="hpo_core", name="asha")
    return list(entry.load().hpo_strategies())


def test_asha_alone_is_the_default() -> None:
    names = [spec.name for spec in specs()]
    assert names == ["asha", "asha:hyperband", "asha:sha", "asha:median", "asha:pbt"]


def test_what_needs_an_order_of_trials_is_for_one_objective() -> None:
    for spec in specs():
        assert Capability.STOPPING in spec.capabilities
        assert Capability.MULTI_OBJECTIVE not in spec.capabilities
        can_resume = spec.name != "asha:median"
        assert (Capability.RESUMING in spec.capabilities) is can_resume


def test_announcing_the_strategies_imports_none_of_them() -> None:
    program = (
        "import sys\n"
        "from hpo_asha.plugin import hpo_strategies\n"
        "assert len(list(hpo_strategies())) == 5\n"
        "heavy = ('optuna', 'numpy', 'hpo_asha.promotion', 'hpo_asha.population')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
