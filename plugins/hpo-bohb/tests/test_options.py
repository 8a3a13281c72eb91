"""Options: hpbandster's names and defaults, their table in the README, and invalid ones."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hpbandster.optimizers
import msgspec
import pytest
from hpo_bohb.options import Bandit, BOHBOptions, HyperBandOptions, RandomOptions
from hpo_bohb.plugin import VARIANTS, build, hpo_strategies

from hpo_core import Budget, Float, InvalidInput, Objective, SearchSpace, optimize
from hpo_core.plugin import Capability, Problem, Unsupported

README = Path(__file__).parents[1] / "README.md"
OURS = {"n_iterations", "resume"}
LOSS = Objective("loss", "minimize")


def problem(**more: Any) -> Problem:
    given = {
        "space": SearchSpace((Float("x", 0, 1), Float("y", 0, 1))),
        "objectives": (LOSS,),
        "seed": 7,
        "max_iterations": 27,
    }
    return Problem(**{**given, **more})


def table() -> str:
    lines = ["| strategy | options, with their defaults |", "|---|---|"]
    for name, options, _ in VARIANTS:
        fields = msgspec.structs.fields(options)
        lines.append(
            f"| `{name}` | {', '.join(f'`{each.name}` `{each.default!r}`' for each in fields)} |"
        )
    return "\n".join(lines)


def test_the_readmes_table_is_that_of_the_options() -> None:
    found = re.search(r"<!-- options -->\n(.*?)\n<!-- end -->", README.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == table()


def test_the_readme_explains_each_option() -> None:
    text = README.read_text()
    for field in msgspec.structs.fields(BOHBOptions):
        assert f"\n| `{field.name}` |" in text, field.name


@pytest.mark.parametrize(
    ("options", "optimizer"),
    [(BOHBOptions, "BOHB"), (HyperBandOptions, "HyperBand"), (RandomOptions, "RandomSearch")],
)
def test_options_have_hpbandsters_names_and_defaults(options: type[Bandit], optimizer: str) -> None:
    theirs = inspect.signature(getattr(hpbandster.optimizers, optimizer).__init__).parameters
    ours = {each.name: each.default for each in msgspec.structs.fields(options)}
    for name in OURS:
        ours.pop(name, None)

    assert ours == {name: theirs[name].default for name in ours}
    assert set(theirs) - set(ours) == {
        "self",
        "configspace",
        "min_budget",
        "max_budget",
        "kwargs",
    }


def test_bohb_is_the_default_and_capabilities_are_those_of_the_default_options() -> None:
    specs = {spec.name: spec for spec in hpo_strategies()}

    assert list(specs) == ["bohb", "bohb:hyperband", "bohb:random"]
    assert Capability.RESUMING in specs["bohb"].capabilities
    assert Capability.RESUMING not in specs["bohb:random"].capabilities
    for spec in specs.values():
        built = build(problem(), spec.options())
        assert built.capabilities == spec.capabilities  # type: ignore[attr-defined]  # it has some


def test_all_faults_are_reported_at_once() -> None:
    wrong = BOHBOptions(
        eta=1.5,
        n_iterations=0,
        min_points_in_model=2,
        top_n_percent=100,
        num_samples=0,
        random_fraction=1.5,
        bandwidth_factor=0.0,
        min_bandwidth=-1.0,
    )

    with pytest.raises(InvalidInput) as raised:
        build(problem(max_iterations=None), wrong)

    assert [str(fault) for fault in raised.value.faults] == [
        "job.max_iterations: missing: hpbandster's budgets go up to it; give the most that a "
        "job can train, in epochs or the like",
        "eta: must be 2 or more, and finite, got 1.5",
        "n_iterations: must be 1 or more, got 0",
        "min_points_in_model: must be one more than there are parameters, 3, or above; got 2",
        "top_n_percent: must be from 1 to 99, got 100",
        "num_samples: must be 1 or more, got 0",
        "random_fraction: must be from 0 to 1, got 1.5",
        "bandwidth_factor: must be above 0, and finite, got 0.0",
        "min_bandwidth: must be above 0, and finite, got -1.0",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["eta", "random_fraction", "bandwidth_factor", "min_bandwidth"])
def test_invalid_numbers_are_rejected(name: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=f"^{name}: "):
        build(problem(), BOHBOptions(**{name: value}))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"etta": 3}, "options.etta: .*did you mean 'eta'"),
        ({"eta": "three"}, "options.eta: "),
        ({"num_samples": 1.5}, "options.num_samples: "),
        ({"eta": 1}, "options.eta: must be 2 or more"),
    ],
)
def test_a_study_names_the_option_that_is_wrong(options: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        optimize(
            lambda configuration: 0.0,
            [Float("x", 0, 1)],
            objective=LOSS,
            budget=Budget(jobs=1),
            strategy="bohb",
            options=options,
            backend="inline",
            max_iterations=9,
        )


def test_several_objectives_are_refused() -> None:
    with pytest.raises(Unsupported, match="one objective"):
        build(problem(objectives=(LOSS, Objective("size", "minimize"))), BOHBOptions())


def test_listing_the_strategies_imports_neither_hpbandster_nor_numpy() -> None:
    program = (
        "import sys; from hpo_bohb.plugin import hpo_strategies; hpo_strategies(); "
        "print(sorted({'ConfigSpace', 'hpbandster', 'numpy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "[]\n", run.stderr
