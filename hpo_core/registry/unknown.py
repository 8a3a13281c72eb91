"""The error message for a name that no installed plugin has, with suggestions."""

from __future__ import annotations

from collections.abc import Sequence

from hpo_core.model.errors import listed, nearest

DISTRIBUTIONS = {
    "grid": "hpo-grid-search",
    "random": "hpo-random-search",
    "process": "hpo-process",
    "optuna": "hpo-optuna",
    "bohb": "hpo-bohb",
    "asha": "hpo-asha",
    "ax": "hpo-ax",
    "bayesopt": "hpo-bayesopt",
    "cma": "hpo-cma",
    "hyperopt": "hpo-hyperopt",
    "nevergrad": "hpo-nevergrad",
    "optunahub": "hpo-optunahub",
    "pymoo": "hpo-pymoo",
    "rustuna": "hpo-rustuna",
    "skopt": "hpo-skopt",
    "smac": "hpo-smac",
    "syne-tune": "hpo-syne-tune",
}
"""The distributions of this project's plugins. Only packages that exist are listed."""

TRACKERS = {"mlflow": "hpo-mlflow", "tensorboard": "hpo-tensorboard", "wandb": "hpo-wandb"}
"""Those of its observers and readers."""

VARIANTS = (
    "optuna:tpe", "optuna:cmaes", "optuna:gp", "optuna:nsga2", "optuna:nsga3", "optuna:qmc",
    "optuna:bruteforce", "bohb:hyperband", "asha:hyperband", "asha:sha", "asha:median", "asha:pbt",
    "hyperopt:anneal", "nevergrad:ngopt", "nevergrad:pso", "pymoo:ga", "pymoo:de", "syne-tune:bore",
    "syne-tune:rea",
)  # fmt: skip
"""Their variants, for suggestions: users may write ``tpe``."""


def unknown(kind: str, name: str) -> str:
    """Return the message for a name that no plugin has.

    Args:
        kind: ``"strategy"``, ``"backend"``, ``"exchange"``, ``"observer"``, ``"reader"`` or
            ``"work"``.
        name: The given config string, possibly with a variant.
    """
    names = _names(kind)
    heads = list(dict.fromkeys(each.partition(":")[0] for each in names))
    here = f"installed {_PLURALS[kind]}: {listed(heads)}"
    if not name:
        return f"the {kind} has no name; {here}"
    said = f"no {kind} {name!r} is installed; {here}"
    head, known = name.partition(":")[0], DISTRIBUTIONS
    if kind in ("observer", "reader"):
        known = TRACKERS
    if head in known:
        return f"{said}; try: pip install {known[head]}"
    guess = _variants(name, names) or nearest(name, heads)
    if not guess and kind == "strategy":
        absent = [each for each in (*DISTRIBUTIONS, *VARIANTS) if each not in names]
        guess = _variants(name, absent) or nearest(name, absent)
        guess += _to_install([each for each in absent if repr(each) in guess])
    if not guess:
        variants = {each.partition(":")[2]: each for each in names}
        guess = nearest(name, variants)
        for variant, full in variants.items():
            guess = guess.replace(f" {variant!r}?", f" {full!r}?")
    return said + (guess or "; pip install the package that provides it (usually named hpo-NAME)")


_PLURALS = {
    "strategy": "strategies",
    "backend": "backends",
    "exchange": "exchanges",
    "reader": "readers",
    "work": "works",
    "observer": "plugins with observers",
    "plugin": "plugins",
}


def _names(kind: str) -> list[str]:
    """Return the full names of the installed specs, variants included. Plugins are loaded in other
    processes.
    """
    from hpo_core.registry.inventory import describe  # which imports the registry

    found = describe()
    if kind == "observer":
        return [one.plugin.name for one in found if one.has_observers]
    if kind == "plugin":
        return [one.plugin.name for one in found]
    attribute = _PLURALS[kind]
    return [spec.name for one in found for spec in getattr(one, attribute)]


def _variants(name: str, names: Sequence[str]) -> str:
    """Suggest the strategies whose variant has the name: ``tpe`` is ``optuna:tpe``."""
    found = [repr(each) for each in names if each.partition(":")[2] == name]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _to_install(names: Sequence[str]) -> str:
    packages = dict.fromkeys(DISTRIBUTIONS[each.partition(":")[0]] for each in names)
    return f" try: pip install {' or '.join(packages)}" if packages else ""
