"""One sweep: the study, its jobs by the launcher, and its results."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

import hpo_core as hpo
from hpo_core.plugin import Job, Lattice
from hpo_hydra.backend import launching
from hpo_hydra.space import SweepSpace, read_sweep

log = logging.getLogger(__name__)

TRIALS = 20
"""The number of trials in an infinite space, if the sweep has no limit."""

APPLICATION = "config:"
"""The tag that says of which configuration of the application the study is."""


@dataclass
class Sweep:
    """A sweep of an application.

    Attributes:
        config: The configuration of the application, with Hydra's own.
        context: Hydra's context, which composes configurations.
        launcher: Hydra's launcher.
        settings: The configuration of the sweeper.
    """

    config: DictConfig
    context: HydraContext
    launcher: Launcher
    settings: Mapping[str, Any]

    def run(self, arguments: Sequence[str]) -> list[Sequence[JobReturn]]:
        """Run or resume the sweep until its end.

        Args:
            arguments: The overrides on the command line.

        Returns:
            What the jobs of this run have returned, by batch.

        Raises:
            HpoError: If it cannot be run, or fails.
        """
        params = [f"{key}={value}" for key, value in self.settings["params"].items()]
        parser = OverridesParser.create(config_loader=self.context.config_loader)
        space = read_sweep(parser.parse_overrides([*params, *arguments]))
        study, grown = self._study(space)
        folder = Path(self.config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self.config, folder / "multirun.yaml")
        done = len(study.trials)
        if done:
            log.info(
                "Resuming the study %r in %s, which has %d trials", study.name, study.store, done
            )
        batches: list[Sequence[JobReturn]] = []
        first = len(study.jobs)

        def launch(jobs: Sequence[Job]) -> Sequence[JobReturn]:
            nonlocal first
            overrides = [self._overrides(space, job) for job in jobs]
            returned = self.launcher.launch(overrides, initial_job_idx=first)
            first += len(jobs)
            batches.append(returned)
            return returned

        token = launching.set(launch)
        try:
            study.run(progress=False)
            if grown is not None:
                study.extend(trials=grown)
                study.run(progress=False)
        except KeyboardInterrupt:
            log.info("Interrupted; the same command resumes the study %r", study.name)
            raise
        finally:
            launching.reset(token)
        self._tell(study, folder / "optimization_results.yaml")
        return batches

    def _overrides(self, space: SweepSpace, job: Job) -> list[str]:
        overrides = space.overrides(job.configuration)
        if (key := self.settings["iterations"]) and job.iterations is not None:
            overrides.append(f"{key}={job.iterations}")
        if key := self.settings["checkpoint_dir"]:
            overrides.append(f"{key}='{job.checkpoint_dir}'")
        return overrides

    def _study(self, space: SweepSpace) -> tuple[hpo.Study, int | None]:
        """Return the study, and the number of trials to which a stored one grows."""
        given = self.settings
        tag = self._tag()
        name, store = given["name"] or self.config.hydra.job.name, given["store"]
        directions = given["direction"]
        directions = [directions] if isinstance(directions, str) else list(directions)
        names = given["metric"]
        if names is None:
            several = [f"value_{index}" for index in range(len(directions))]
            names = "value" if len(directions) == 1 else several
        names = [names] if isinstance(names, str) else list(names)
        if len(names) != len(directions):
            raise hpo.HpoError(
                f"hydra.sweeper.metric names {len(names)} metrics, and hydra.sweeper.direction has "
                f"{len(directions)} directions; give each metric its direction"
            )
        budget = dict(given["budget"])
        if given["n_trials"] is not None:
            budget["trials"] = given["n_trials"]
        elif not budget:
            finite = hpo.SearchSpace(tuple(space.parameters))
            budget["trials"] = Lattice(finite).size if finite.is_finite else TRIALS
        wanted = budget.get("trials")
        stored = _stored(store, name, tag)
        if wanted and stored and stored.config.budget.trials:
            budget["trials"] = stored.config.budget.trials
        study = hpo.Study(
            parameters=space.parameters,
            objective=[
                hpo.Objective(metric, direction)
                for metric, direction in zip(names, directions, strict=True)
            ],
            budget=budget,
            strategy=given["strategy"],
            options=dict(given["options"]),
            workers=given["n_jobs"],
            backend="hydra",
            work={"name": "hydra", "options": {"app": self.config.hydra.job.name}},
            seed=given["seed"],
            name=name,
            store=store,
            max_iterations=given["max_iterations"],
            max_failures_at_start=given["max_failures_at_start"],
            tags=[*given["tags"], *space.tags, tag],
        )
        return study, wanted if wanted and wanted > budget["trials"] else None

    def _tag(self) -> str:
        """Return the tag of the application's configuration, without Hydra's own."""
        own = OmegaConf.masked_copy(
            self.config, [str(key) for key in self.config if key != "hydra"]
        )
        return APPLICATION + hashlib.sha256(OmegaConf.to_yaml(own).encode()).hexdigest()[:16]

    def _tell(self, study: hpo.Study, file: Path) -> None:
        """Log the result and write it, for scripts, into the folder of the sweep."""
        best = study.pareto_front if len(study.config.objectives) > 1 else study.top(1)
        found = [
            {
                "trial": trial.trial_id,
                "params": dict(trial.configuration),
                "values": dict(trial.values),
            }
            for trial in best
        ]
        trials = len(study.trials)
        log.info("The study %r in %s has %d trials; the best:", study.name, study.store, trials)
        for trial in found:
            log.info("\t%s : %s", trial["values"], trial["params"])
        result: dict[str, Any] = {"name": "hpo", "study": study.name, "trials": trials}
        if len(study.config.objectives) == 1:
            result["best_params"] = found[0]["params"] if found else None
            result["best_value"] = best[0].value if best else None
        else:
            result["solutions"] = found
        OmegaConf.save(OmegaConf.create(result), file)


def _stored(store: str | None, name: str, tag: str) -> hpo.Study | None:
    """Return the stored study of a sweep that was run before, if there is one.

    Raises:
        StudyChanged: If it is of another configuration of the application.
    """
    if store is None or not Path(store).exists():
        return None
    try:
        study = hpo.load_study(store, name)
    except hpo.errors.UnknownStudy:
        return None
    if tag not in study.config.tags:
        raise hpo.errors.StudyChanged(
            f"the sweep {name!r} in {store} is of another configuration of the application; choose "
            f"another hydra.sweeper.name, or delete it: hpo delete {name} --store {store}"
        )
    return study
