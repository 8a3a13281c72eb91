"""Fit a polynomial to noisy points; returns the error on other points."""

from __future__ import annotations

import hydra
import numpy as np
from numpy.polynomial import chebyshev, polynomial
from omegaconf import DictConfig

BASES = {"power": polynomial.polyvander, "chebyshev": chebyshev.chebvander}


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config: DictConfig) -> float:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 60)
    y = np.sin(5 * x) + rng.normal(0, 0.2, 60)
    terms = BASES[config.basis.name](x, config.degree)
    fit, test = slice(0, 30), slice(30, None)
    penalty = config.ridge * np.eye(config.degree + 1)
    weights = np.linalg.solve(terms[fit].T @ terms[fit] + penalty, terms[fit].T @ y[fit])
    return float(np.mean((terms[test] @ weights - y[test]) ** 2))


if __name__ == "__main__":
    main()
