"""The options: Nevergrad's own names and defaults. Importing this does not import Nevergrad."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all optimizers have in common.

    Attributes:
        optimizer: The name in Nevergrad's registry.
        budget: Number of trials that the optimizer is told to plan with; None if it is unknown.
        num_workers: Number of configurations that may wait for their losses at once; None for the
            study's workers.
    """

    optimizer: ClassVar[str] = ""
    budget: int | None = None
    num_workers: int | None = None


class NGOpt(Options, frozen=True):
    """Nevergrad's choice.

    Attributes:
        budget: As above, but a number: NGOpt chooses by it, and fails without one.
    """

    optimizer: ClassVar[str] = "NGOpt"
    budget: int | None = 100


class TwoPointsDE(Options, frozen=True):
    """Differential evolution."""

    optimizer: ClassVar[str] = "TwoPointsDE"


class PSO(Options, frozen=True):
    """Particle swarm optimization."""

    optimizer: ClassVar[str] = "PSO"


class OnePlusOne(Options, frozen=True):
    """The (1+1) evolution strategy."""

    optimizer: ClassVar[str] = "OnePlusOne"


class TBPSA(Options, frozen=True):
    """Test-based population size adaptation."""

    optimizer: ClassVar[str] = "TBPSA"


class ScrHammersleySearch(Options, frozen=True):
    """A scrambled Hammersley sequence.

    Attributes:
        budget: As above, but required: the sequence is spread over this number of trials.
    """

    optimizer: ClassVar[str] = "ScrHammersleySearch"


class Registry(Options, frozen=True):
    """Any optimizer.

    Attributes:
        name: The name in Nevergrad's registry (``nevergrad.optimizers.registry``).
    """

    name: str


def name_of(options: Options) -> str:
    """Return the name of the optimizer in Nevergrad's registry."""
    return options.name if isinstance(options, Registry) else options.optimizer


def check(options: Options) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    faults = [
        Fault(name, "give 1 or more, or leave it out")
        for name in ("budget", "num_workers")
        if (given := getattr(options, name)) is not None and given < 1
    ]
    if isinstance(options, NGOpt) and options.budget is None:
        faults.append(Fault("budget", "NGOpt chooses by it: give the number of trials"))
    if isinstance(options, ScrHammersleySearch) and options.budget is None:
        faults.append(Fault("budget", "the sequence is spread over it: give the number of trials"))
    if faults:
        raise InvalidInput(faults)
