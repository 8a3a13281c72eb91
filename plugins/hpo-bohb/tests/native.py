"""A usual run of hpbandster: name server, master and worker, over the network.

It is a separate program for the tests, since the network layer of hpbandster hangs when it gets a
numpy scalar: start it with a time limit. It prints a JSON list with an
entry for each evaluation: the configuration's id, the budget, the configuration, the loss, which is
null for one that failed.

    python native.py '{"variant": "bohb", "space": "mixed", "seed": 1, "brackets": 9, "options": {},
                       "fails": false}'
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
import zlib
from collections.abc import Mapping
from typing import Any

LEAST, MOST = 1, 27
"""The budgets."""


def loss_of(configuration: Mapping[str, Any], budget: float) -> float:
    """Return a loss that depends on every value, a little on the budget, and is never the same."""
    total = 0.0
    for name, value in sorted(configuration.items()):
        if isinstance(value, str | bool) or value is None:
            total += zlib.crc32(f"{name}={value}".encode()) % 7
        else:
            total += abs(float(value) - 0.3) / (1 + abs(float(value)))
    return total + 1 / budget


def has_failed(configuration: Mapping[str, Any], budget: float) -> bool:
    """Return whether an evaluation fails, where some do: about one in six."""
    return zlib.crc32(repr((sorted(configuration.items()), float(budget))).encode()) % 6 == 0


def configspace(name: str, seed: int) -> Any:
    """Return a space, made as the documentation of ConfigSpace has it."""
    import ConfigSpace as cs

    space = cs.ConfigurationSpace(seed=seed)
    lr = cs.UniformFloatHyperparameter("lr", 1e-4, 1e-1, log=True)
    momentum = cs.UniformFloatHyperparameter("momentum", 0.0, 0.99)
    units = cs.UniformIntegerHyperparameter("units", 4, 512, log=True)
    depth = cs.UniformIntegerHyperparameter("depth", 1, 9)
    kind = cs.CategoricalHyperparameter("kind", ["sgd", "adam", "none"])
    fixed = cs.Constant("fixed", "yes")
    match name:
        case "numbers":
            space.add(lr, momentum, units)
        case "mixed":
            space.add(lr, depth, kind, fixed)
        case "conditional":
            space.add(lr, momentum, depth, kind, units)
            space.add(
                cs.EqualsCondition(momentum, kind, "sgd"),
                cs.InCondition(depth, kind, ["sgd", "adam"]),
            )
        case "forbidden":
            space.add(lr, depth, kind)
            space.add(
                cs.ForbiddenAndConjunction(
                    cs.ForbiddenEqualsClause(kind, "adam"), cs.ForbiddenInClause(depth, [1, 2, 3])
                )
            )
    return space


def main(
    *, variant: str, space: str, seed: int, brackets: int, options: dict[str, Any], fails: bool
) -> None:
    """Run it, and print what was evaluated, in order."""
    import numpy as np
    from hpbandster.core.nameserver import NameServer
    from hpbandster.core.worker import Worker
    from hpbandster.optimizers import BOHB, HyperBand, RandomSearch

    evaluations: list[list[Any]] = []

    class Trainer(Worker):
        def compute(self, config_id, config, budget, **_):  # type: ignore[no-untyped-def]
            is_failed = fails and has_failed(config, budget)
            loss = None if is_failed else loss_of(config, budget)
            evaluations.append([list(config_id), budget, dict(config), loss])
            if loss is None:
                raise RuntimeError("this one fails")
            return {"loss": loss, "info": {}}

    server = NameServer(run_id="parity", host="127.0.0.1", port=0)  # any free one
    host, port = server.start()
    worker = Trainer(run_id="parity", host="127.0.0.1", nameserver=host, nameserver_port=port)
    worker.run(background=True)
    np.random.seed(seed)
    kind = {"bohb": BOHB, "hyperband": HyperBand, "random": RandomSearch}[variant]
    master = kind(
        configspace=configspace(space, seed),
        run_id="parity",
        nameserver=host,
        nameserver_port=port,
        min_budget=LEAST,
        max_budget=MOST,
        **options,
    )
    master.budgets = master.budgets.tolist()  # the network takes no numpy scalars
    draw = master.config_generator.get_config

    def plain(budget: float) -> tuple[dict[str, Any], dict[str, Any]]:
        configuration, about = draw(budget)
        return {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in configuration.items()
        }, about

    master.config_generator.get_config = plain
    master.run(n_iterations=brackets)
    print(json.dumps(evaluations))
    sys.stdout.flush()
    master.shutdown(shutdown_workers=True)
    server.shutdown()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    threading.current_thread().name = "main"
    main(**json.loads(sys.argv[1]))
