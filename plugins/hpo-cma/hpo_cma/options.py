"""The options: pycma's own names and defaults. Importing this does not import pycma."""

from __future__ import annotations

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of ``cma``.

    Attributes:
        sigma0: Initial standard deviation, in a unit cube that has the middle of every parameter's
            scale at 0.5.
        popsize: Number of configurations per generation; None for 4 + 3 log(parameters).
        CMA_active: Whether bad configurations have a negative influence on the distribution.
        CMA_diagonal: Number of generations whose distribution has no correlations; True for all.
        CMA_elitist: Whether the best configuration takes part in every generation.
        restarts: Number of restarts after the search has converged.
        incpopsize: Factor on the population with each restart.
    """

    sigma0: float = 0.3
    popsize: int | None = None
    CMA_active: bool = True
    CMA_diagonal: int | bool = 0
    CMA_elitist: bool = False
    restarts: int = 0
    incpopsize: int = 2


def check(options: Options) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    faults = []
    if not 0.0 < options.sigma0 <= 1.0:
        faults.append(Fault("sigma0", "give a number above 0 and at most 1"))
    if options.popsize is not None and options.popsize < 3:
        faults.append(Fault("popsize", "give 3 or more, or leave it out"))
    if options.CMA_diagonal < 0:
        faults.append(Fault("CMA_diagonal", "give a number of generations, or true for all"))
    if options.restarts < 0:
        faults.append(Fault("restarts", "give 0 or more"))
    if options.incpopsize < 1:
        faults.append(Fault("incpopsize", "give 1 or more"))
    if faults:
        raise InvalidInput(faults)
