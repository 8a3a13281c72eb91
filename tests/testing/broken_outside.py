"""Strategies that depend on something outside of their study, immediately or later."""

from __future__ import annotations

import datetime
import locale
import os
import random
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
from broken import breaks
from samples import Stream

from hpo_core.plugin import Configuration, Problem, Report

LATE = 30
"""Number of ended jobs after which a strategy breaks its promise."""


class Late(Stream):
    """Counts the jobs that have ended, also after it was restored."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.ended: set[str] = set()

    @property
    def is_late(self) -> bool:
        return len(self.ended) >= LATE

    def tell(self, report: Report, /) -> Any:
        if report.is_final:
            self.ended.add(report.job_id)
        return super().tell(report)


def seeded(
    check: str, what: Callable[[], object], *, late: bool = False
) -> Callable[[type[Any]], type[Any]]:
    """Seed a strategy with something else as well, from the beginning or later."""

    def made(base: type[Any]) -> type[Any]:
        class Seeded(Late):
            def generator(self) -> random.Random:
                return random.Random(f"{self.problem.seed} {'' if late else what()}")

            def draw(self) -> Configuration:
                if late and self.is_late:
                    self.random = random.Random(f"{self.random.random()} {what()}")
                return super().draw()

        Seeded.__name__ = Seeded.__qualname__ = base.__name__
        return breaks(check)(Seeded)

    return made


ELSEWHERE = "another_process_gives_the_same_suggestions"
AGAIN = "the_same_seed_gives_the_same_suggestions"


@seeded(ELSEWHERE, os.getpid)
class ReadsTheProcessId: ...


@seeded(ELSEWHERE, lambda: time.localtime().tm_min)
class ReadsTheMinute: ...


@seeded(ELSEWHERE, lambda: int(time.time() // 60) % 60)
class ReadsTheMinuteOfTime: ...


@seeded(ELSEWHERE, lambda: datetime.date.today())
class ReadsTheDate: ...


@seeded(ELSEWHERE, lambda: datetime.datetime.now().minute)
class ReadsTheMinuteOfDatetime: ...


@seeded(ELSEWHERE, lambda: time.strftime("%Y-%m"))
class ReadsTheMonth: ...


@seeded(ELSEWHERE, lambda: time.gmtime().tm_yday, late=True)
class ReadsTheDayLate: ...


@seeded(ELSEWHERE, lambda: time.tzname)
class ReadsTheTimeZone: ...


@seeded(ELSEWHERE, lambda: os.environ.get("USER"))
class ReadsAVariable: ...


@seeded(ELSEWHERE, lambda: len(os.environ), late=True)
class CountsVariablesLate: ...


@seeded(ELSEWHERE, lambda: os.environ.get("LANG"))
class ReadsTheLanguage: ...


@seeded(ELSEWHERE, lambda: os.path.expanduser("~"))
class ReadsTheHome: ...


@seeded(ELSEWHERE, os.getcwd)
class ReadsTheFolder: ...


@seeded(ELSEWHERE, lambda: sorted(os.listdir()), late=True)
class ListsTheFilesLate: ...


@seeded(ELSEWHERE, lambda: os.path.exists("history.json"))
class LooksForAFile: ...


@seeded(ELSEWHERE, lambda: hash("a name"), late=True)
class HashesLate: ...


@seeded(ELSEWHERE, lambda: list({"adam", "sgd", "lion", "lamb"}), late=True)
class WalksASetLate: ...


@seeded(AGAIN, lambda: os.urandom(8), late=True)
class ModelsOnUrandom: ...


@seeded(AGAIN, lambda: secrets.randbits(64), late=True)
class ModelsOnSecrets: ...


@seeded(AGAIN, uuid.uuid4, late=True)
class NamesTrialsByUuidLate: ...


@seeded(AGAIN, time.perf_counter_ns, late=True)
class MeasuresItsTimeLate: ...


@seeded(AGAIN, lambda: id(object.__new__(Late)), late=True)
class ReadsAddressesLate: ...


@breaks("different_seeds_give_different_suggestions")
class KnowsEightBitsOfTheSeed(Stream):
    def generator(self) -> random.Random:
        return random.Random(self.problem.seed % 256)


@breaks("different_seeds_give_different_suggestions")
class KnowsSixteenBitsOfTheSeed(Stream):
    def generator(self) -> random.Random:
        return random.Random(self.problem.seed & 0xFFFF)


@breaks("different_seeds_give_different_suggestions")
class KnowsTheLastDigitOfTheSeed(Stream):
    def generator(self) -> random.Random:
        return random.Random(self.problem.seed % 10)


@breaks("global_random_streams_are_left_alone")
class DrawsFromNumpyLate(Late):
    def draw(self) -> Configuration:
        if self.is_late:
            np.random.rand()
        return super().draw()


@breaks("global_random_streams_are_left_alone")
class SeedsTheGlobalStreamLate(Late):
    def save_state(self) -> Any:
        if self.is_late:
            random.seed(len(self.ended))
        return super().save_state()


@breaks("global_random_streams_are_left_alone")
class ShufflesWithTheGlobalStream(Late):
    def tell(self, report: Report, /) -> Any:
        names = list(report.metrics)
        random.shuffle([*names, "a", "b"])
        return super().tell(report)


@breaks("the_order_of_keys_does_not_matter")
class ReadsTheOrderOfKeysLate(Late):
    def draw(self) -> Configuration:
        if self.is_late:
            self.random = random.Random(f"{self.random.random()} {self.problem.space!r}")
        return super().draw()


@breaks(ELSEWHERE)
class ReadsTheLocaleLate(Late):
    def draw(self) -> Configuration:
        if self.is_late:
            known = (locale.getlocale(), os.environ.get("LC_ALL"))
            self.random = random.Random(f"{self.random.random()} {known}")
        return super().draw()
