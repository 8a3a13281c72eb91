"""The GPUs of this machine, by the names that CUDA and ROCm use."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""The variables that restrict a program to some GPUs, of CUDA and of ROCm. ROCm follows both, and
numbers what ``ROCR_VISIBLE_DEVICES`` leaves visible, which is therefore not set."""

KFD_NODES = Path("/sys/class/kfd/kfd/topology/nodes")
"""Where Linux lists the processors that ROCm can use."""

_GPU = re.compile(r"GPU (\d+): .*")
_MIG = re.compile(r"\s+MIG .*\(UUID: (MIG-[^)]+)\)")
_PATIENCE = 60.0


def visible_gpus(kfd_nodes: Path = KFD_NODES) -> list[str]:
    """Return the GPUs that this process may use: those that are visible to it, or all.

    GPUs of NVIDIA are found by nvidia-smi; a GPU that is divided (MIG) by its parts. Those of AMD
    are found by the kernel driver of ROCm.

    Args:
        kfd_nodes: The folder of that driver.
    """
    for name in VISIBLE:
        if name in os.environ:
            names = [each.strip() for each in os.environ[name].split(",")]
            return [each for each in names if each not in ("", "-1", "NoDevFiles")]
    return _nvidia() or _amd(kfd_nodes)


def variables(gpus: tuple[str, ...]) -> Mapping[str, str]:
    """Return the environment variables of a job that shall use certain GPUs only."""
    found = dict.fromkeys(VISIBLE, ",".join(gpus))
    if "CUDA_DEVICE_ORDER" not in os.environ:  # so that numbers are those of nvidia-smi
        found["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    return found


def _nvidia() -> list[str]:
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines() if done.returncode == 0 else ():
        if match := _GPU.fullmatch(line):
            found[match[1]] = []
        elif (match := _MIG.fullmatch(line)) and found:
            found[list(found)[-1]].append(match[1])
    return [part for number, parts in found.items() for part in parts or [number]]


def _amd(nodes: Path) -> list[str]:
    """Return the numbers of the GPUs: the nodes with a ``gpu_id``, counted from 0."""
    try:
        ids = [(node / "gpu_id").read_text().strip() for node in nodes.iterdir()]
    except OSError:
        return []
    return [str(number) for number in range(sum(each not in ("", "0") for each in ids))]
