"""The batch script of jobs, and the options of sbatch."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Sequence

from hpo_core.plugin import BackendContext, BackendError, agent_command
from hpo_slurm.options import SlurmOptions

MARK = "hpo-core"
"""How the comment of a Slurm job begins: then follow the study's uid and the batch."""


def arguments(context: BackendContext, options: SlurmOptions, minutes: int | None) -> list[str]:
    """Return the options of sbatch that all jobs of a study have.

    Args:
        context: The study.
        options: The options of the backend.
        minutes: The time limit, if there is one.

    Raises:
        BackendError: If the study asks for what Slurm does not give.
    """
    found = [
        f"--job-name={context.study}",
        f"--chdir={os.path.abspath(context.work.directory)}",
        "--nodes=1",
        "--ntasks=1",
    ]
    for name in ("partition", "account", "qos"):
        if (value := getattr(options, name)) is not None:
            found.append(f"--{name}={value}")
    if minutes is not None:
        found.append(f"--time={minutes}")
    resources = context.resources
    if resources is not None:
        if resources.cpus is not None:
            found.append(f"--cpus-per-task={resources.cpus}")
        if resources.memory is not None:
            found.append(f"--mem={math.ceil(resources.memory / 1024)}K")
        if resources.gpus is not None:
            if resources.gpus < 1:
                raise BackendError(
                    f"job.resources.gpus is {resources.gpus:g}, and Slurm gives whole GPUs; take "
                    "1, or leave it out and ask for what your cluster shares in "
                    "backend.options.extra_lines, such as '#SBATCH --gres=shard:1'"
                )
            found.append(f"--gres=gpu:{resources.gpus:g}")
    return found


def of_batch(context: BackendContext, batch: str, size: int, folder: str) -> list[str]:
    """Return the options of sbatch for a batch: one job, or an array."""
    output = "%A_%a" if size > 1 else "%j"
    found = [
        f"--comment={MARK} {context.study_uid} {batch}",
        f"--output={os.path.join(folder, 'slurm', output)}.out",
    ]
    return [*found, f"--array=0-{size - 1}"] if size > 1 else found


def text(options: SlurmOptions, order_files: Sequence[str], python: str) -> str:
    """Return the batch script of jobs.

    Args:
        options: The options of the backend.
        order_files: The orders of the jobs, one for each element of an array.
        python: The Python of the nodes.
    """
    is_option = [line.lstrip().startswith("#SBATCH") for line in options.extra_lines]
    lines = [
        "#!/bin/sh",
        "#SBATCH --no-requeue",
        "#SBATCH --open-mode=append",
        *(line for line, is_it in zip(options.extra_lines, is_option, strict=True) if is_it),
        *(line for line, is_it in zip(options.extra_lines, is_option, strict=True) if not is_it),
        "set -- " + " ".join(map(shlex.quote, order_files)),
    ]
    if len(order_files) > 1:
        lines.append('shift "$SLURM_ARRAY_TASK_ID"')
    *command, _ = map(shlex.quote, agent_command("ORDER", python))
    lines.append(f'exec {" ".join(command)} "$1"')
    return "\n".join(lines) + "\n"
