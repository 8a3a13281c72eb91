"""Options have Optuna's names and defaults, and the README's tables are generated from them.

To regenerate the tables: ``python plugins/hpo-optuna/tests/test_options.py``.
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
import optuna
import pytest
from hpo_optuna import pruners
from hpo_optuna.options import Constrained, SamplerOptions
from hpo_optuna.plugin import VARIANTS
from hpo_optuna.pruners import PrunerOptions

from hpo_core.plugin import (
    Capability,
    Float,
    InvalidInput,
    Objective,
    Problem,
    SearchSpace,
    StrategySpec,
)

README = Path(__file__).parents[1] / "README.md"
PRUNERS = [
    kind
    for kind in vars(pruners).values()
    if isinstance(kind, type) and issubclass(kind, PrunerOptions) and kind is not PrunerOptions
]
COMMON = {*SamplerOptions.__struct_fields__, *Constrained.__struct_fields__}
OTHER_DEFAULTS = {("threshold", "lower"), ("threshold", "upper")}


def own_fields(kind: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    return [field for field in msgspec.structs.fields(kind) if field.name not in COMMON]


def default_of(field: msgspec.structs.FieldInfo) -> str:
    return "required" if field.required else f"`{field.default!r}`"


def rows(fields: list[msgspec.structs.FieldInfo]) -> str:
    return ", ".join(f"`{each.name}` {default_of(each)}" for each in fields) or "none"


def samplers_table() -> str:
    lines = [
        "| strategy | its own options, with their defaults | constraints | several objectives |"
    ]
    lines.append("|---|---|---|---|")
    for name, options, _, can in VARIANTS:
        heeds = "yes" if "constraints" in options.__struct_fields__ else "learns nothing"
        constraints = heeds if Capability.CONSTRAINTS in can else "no"
        several = "yes" if Capability.MULTI_OBJECTIVE in can else "no"
        lines.append(
            f"| `optuna:{name}` | {rows(own_fields(options))} | {constraints} | {several} |"
        )
    return "\n".join(lines)


def pruners_table() -> str:
    lines = [
        "| pruner | Optuna's class | parameters, with their defaults | it sees |",
        "|---|---|---|---|",
    ]
    for kind in PRUNERS:
        sees = "what counts" if kind.sees_best else "the metric"
        name = str(kind.__struct_config__.tag)
        fields = list(msgspec.structs.fields(kind))
        lines.append(f"| `{name}` | `{kind.optuna}` | {rows(fields)} | {sees} |")
    return "\n".join(lines)


TABLES = {"samplers": samplers_table, "pruners": pruners_table}


def with_tables(text: str) -> str:
    for name, table in TABLES.items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda found, made=table(): f"{found[1]}{made}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def test_the_readmes_tables_are_those_of_the_options() -> None:
    text = README.read_text()
    assert all(f"<!-- {name} -->" in text for name in TABLES)
    assert text == with_tables(text)


def parameters(kind: type[Any]) -> dict[str, Any]:
    signature = inspect.signature(kind.__init__)
    return {name: each.default for name, each in signature.parameters.items() if name != "self"}


@pytest.mark.parametrize("options", [options for _, options, _, _ in VARIANTS])
def test_a_samplers_options_have_optunas_names_and_defaults(options: type[SamplerOptions]) -> None:
    theirs = parameters(getattr(optuna.samplers, options.optuna))
    ours = {field.name: field.default for field in own_fields(options)}
    assert ours == {name: theirs[name] for name in ours}


LEFT_OUT = {
    "seed",
    "independent_sampler",
    "constraints_func",
    "gamma",
    "weights",
    "source_trials",
    "elite_population_selection_strategy",
    "child_generation_strategy",
    "after_trial_strategy",
    "warn_asynchronous_seeding",  # the seed is always given
    # deprecated
    "consider_prior",
    "prior_weight",
    "consider_magic_clip",
    "consider_endpoints",
    "x0",
    "sigma0",
    "restart_strategy",
    "inc_popsize",
}


@pytest.mark.parametrize("options", [options for _, options, _, _ in VARIANTS])
def test_what_is_left_out_is_listed(options: type[SamplerOptions]) -> None:
    theirs = set(parameters(getattr(optuna.samplers, options.optuna)))
    left = theirs - set(options.__struct_fields__) - LEFT_OUT
    assert left <= {"warn_independent_sampling"}  # of TPE, deprecated


@pytest.mark.parametrize("kind", PRUNERS)
def test_a_pruners_options_have_optunas_names_and_defaults(kind: type[PrunerOptions]) -> None:
    theirs = parameters(getattr(optuna.pruners, kind.optuna))
    fields = msgspec.structs.fields(kind)
    assert {each.name for each in fields} == set(theirs)
    for each in fields:
        if not each.required:
            given = theirs[each.name]
            assert given in (each.default, inspect.Parameter.empty)


# -- the plugin ------------------------------------------------------------------------------


def specs() -> list[StrategySpec]:
    (entry,) = entry_points(group="hpo_core", name="optuna")
    return list(entry.load().hpo_strategies())


def test_optuna_alone_stands_for_tpe() -> None:
    names = [spec.name for spec in specs()]
    variants = ("tpe", "cmaes", "gp", "nsga2", "nsga3", "qmc", "random", "bruteforce")
    assert names == [f"optuna:{variant}" for variant in variants]


def test_constraints_are_announced_by_who_heeds_them_or_learns_nothing() -> None:
    learns_nothing = {"optuna:qmc", "optuna:random", "optuna:bruteforce"}
    for spec in specs():
        heeds = "constraints" in spec.options.__struct_fields__
        can = heeds or spec.name in learns_nothing
        assert (Capability.CONSTRAINTS in spec.capabilities) is can


def test_announcing_the_strategies_imports_neither_optuna_nor_numpy() -> None:
    program = (
        "import sys\n"
        "from hpo_optuna.plugin import hpo_strategies\n"
        "assert len(list(hpo_strategies())) == 8\n"
        "print([name for name in ('optuna', 'numpy', 'torch') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_a_spec_builds_what_it_announces() -> None:
    problem = Problem(
        space=SearchSpace((Float("x", 0, 1, step=0.5),)),
        objectives=(Objective("loss", "minimize"),),
        seed=1,
    )
    for spec in specs():
        if spec.name == "optuna:cmaes":
            pytest.importorskip("cmaes")
        if spec.name != "optuna:gp":  # torch takes seconds to import; test_parity builds it
            assert spec.build(problem, spec.options()).ask(1) is not None


@pytest.mark.parametrize(
    ("variant", "given", "path"),
    [
        ("tpe", {"n_ei_candidates": 0}, "n_ei_candidates"),
        ("cmaes", {"popsize": -1}, "popsize"),
        ("cmaes", {"popsize": 1}, "popsize"),
        ("nsga3", {"dividing_parameter": 0}, "dividing_parameter"),
        ("nsga3", {"reference_points": []}, "reference_points"),
        ("nsga3", {"reference_points": [[1.0], [1.0, 2.0]]}, "reference_points[1]"),
        ("random", {"pruner": {"name": "hyperband", "min_resource": 0}}, "pruner.min_resource"),
        (
            "random",
            {
                "pruner": {
                    "name": "patient",
                    "patience": 2,
                    "wrapped_pruner": {"name": "hyperband", "reduction_factor": 1},
                }
            },
            "pruner.wrapped_pruner.reduction_factor",
        ),
    ],
)
def test_options_that_fail_in_later_trials_are_refused_at_the_start(
    variant: str, given: dict[str, Any], path: str
) -> None:
    problem = Problem(
        space=SearchSpace((Float("x", 0.0, 1.0),)),
        objectives=(Objective("loss", "minimize"),),
        seed=1,
    )
    [spec] = [spec for spec in specs() if spec.name == f"optuna:{variant}"]
    with pytest.raises(InvalidInput) as refused:
        spec.build(problem, msgspec.convert(given, spec.options))
    [fault] = refused.value.faults
    assert fault.path == path


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
