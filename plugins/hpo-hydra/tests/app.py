"""A Hydra application for the tests; KIND, WHAT and AT in its environment make it misbehave."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore


@dataclass
class Config:
    x: float = 0.0
    n: int = 0
    kind: Any = "a"
    epochs: int = 1
    folder: str = ""
    fixed: str = ""


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base=None, config_path=None, config_name="config")
def main(config: Config) -> Any:
    with Path(os.environ["RUNS"]).open("a") as runs:
        print(
            f"{config.x!r} {config.n!r} {config.kind!r} {config.epochs} {config.fixed}", file=runs
        )
    done = len(Path(os.environ["RUNS"]).read_text().splitlines())
    match os.environ.get("WHAT"):
        case "fail" if config.n == 1:
            raise RuntimeError("no epoch today")
        case "interrupt" if done == 3:
            signal.raise_signal(signal.SIGINT)
        case "kill" if done == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        case "two":
            return (config.x**2, (config.x - 1) ** 2)
        case "named":
            return {"loss": config.x**2, "size": config.n}
    if config.folder:
        (Path(config.folder) / f"{config.epochs}").touch()
    return (config.x - 1) ** 2 + config.n


if __name__ == "__main__":
    main()
