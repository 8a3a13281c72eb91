"""The options: pymoo's own names and defaults. Importing this does not import pymoo."""

from __future__ import annotations

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class GA(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A genetic algorithm.

    Attributes:
        pop_size: Number of configurations in the population.
        n_offsprings: Number of configurations per generation; None for `pop_size`.
    """

    pop_size: int = 100
    n_offsprings: int | None = None


class DE(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Differential evolution.

    Attributes:
        pop_size: Number of configurations in the population.
        n_offsprings: Number of configurations per generation; None for `pop_size`.
        variant: The variant, as in the literature: ``DE/rand/1/bin``.
    """

    pop_size: int = 100
    n_offsprings: int | None = None
    variant: str = "DE/best/1/bin"


class PSO(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Particle swarm optimization.

    Attributes:
        pop_size: Number of particles.
        w: Inertia.
        c1: Attraction of a particle's own best configuration.
        c2: Attraction of the best configuration of the swarm.
        adaptive: Whether `w`, `c1` and `c2` are adapted.
        max_velocity_rate: Maximum velocity, as a fraction of the scale of a parameter.
        pertube_best: Whether the best particle is mutated.
    """

    pop_size: int = 25
    w: float = 0.9
    c1: float = 2.0
    c2: float = 2.0
    adaptive: bool = True
    max_velocity_rate: float = 0.2
    pertube_best: bool = True


class ES(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An evolution strategy; without given numbers, pymoo derives 200 and a seventh of it.

    Attributes:
        n_offsprings: Number of configurations per generation.
        pop_size: Number of survivors of a generation.
        rule: Ratio of survivors to offspring, if one of the two numbers is missing.
        phi: Expected rate of convergence.
        gamma: Factor of the differential variation of survivors.
    """

    n_offsprings: int | None = None
    pop_size: int | None = None
    rule: float = 1.0 / 7.0
    phi: float = 1.0
    gamma: float = 0.85


class G3PCX(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The generalized generation gap with parent-centric crossover.

    Attributes:
        pop_size: Number of configurations in the population.
        n_offsprings: Number of configurations per generation.
        n_parents: Number of parents of a crossover.
        family_size: Number of configurations that are replaced at a time.
    """

    pop_size: int = 100
    n_offsprings: int = 2
    n_parents: int = 3
    family_size: int = 2


class MixedVariableGA(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A genetic algorithm for numbers and choices.

    Attributes:
        pop_size: Number of configurations in the population.
        n_offsprings: Number of configurations per generation; None for `pop_size`.
    """

    pop_size: int = 50
    n_offsprings: int | None = None


def check(options: msgspec.Struct) -> None:
    """Check the numbers of configurations.

    Raises:
        InvalidInput: With every fault.
    """
    least = {"pop_size": 4, "n_offsprings": 1, "n_parents": 3, "family_size": 1}
    faults = [
        Fault(name, f"give {number} or more")
        for name, number in least.items()
        if (given := getattr(options, name, None)) is not None and given < number
    ]
    if faults:
        raise InvalidInput(faults)
