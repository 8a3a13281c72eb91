"""Scripts that do not import hpo-core: their metrics are read, and they can be stopped early."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Configuration, HyperParameterOptimizer, TrialState, load_study
from hpo_core.plugin import (
    BaseStrategy,
    Decision,
    JobReported,
    Report,
    Start,
    Status,
    StudyEvent,
)

LOSS = {"loss": r"val_loss[=:] *([0-9.e+-]+)"}


def script(text: str) -> list[str]:
    """Return the command of a Python script that gets x."""
    code = textwrap.dedent(text).replace("{", "{{").replace("}", "}}")
    return [sys.executable, "-c", code, "{x}"]


class StopsAll(BaseStrategy):
    """Stops each trial at its second report."""

    def __init__(self) -> None:
        self.told: list[tuple[int | None, float]] = []

    def ask(self, trial_id: int, /) -> Start:
        return Start(Configuration(x=trial_id))

    def tell(self, report: Report, /) -> Decision:
        if report.status is Status.RUNNING:
            self.told.append((report.iteration, report.losses[0] if report.losses else 0.0))
            return Decision.STOP if len(self.told) % 2 == 0 else Decision.CONTINUE
        return Decision.CONTINUE


def test_a_progress_bar_with_colours_is_read_and_stopped_while_it_runs(lab: Any) -> None:
    """The script would run for ever, and knows of no signal."""
    job = script(
        """
        import sys, threading
        for epoch in (1, 2):
            for batch in range(3):
                print(f"\\r\\x1b[32mepoch {epoch}\\x1b[0m {batch}/3", end="")
            print(f" \\x1b[1mval_loss: {int(sys.argv[1]) / epoch:.3e}\\x1b[0m")
        threading.Event().wait()
        """
    )
    strategy = StopsAll()
    study = lab.study(job, strategy=strategy, metrics=LOSS, iteration=r"epoch (\d+)", budget=2)
    result = study.run()
    assert [trial.state for trial in result.trials] == [TrialState.STOPPED] * 2
    assert strategy.told == [(1, 1.0), (2, 0.5), (1, 2.0), (2, 1.0)]


def test_what_is_printed_last_and_by_other_processes_counts(lab: Any) -> None:
    job = script(
        """
        import os, subprocess, sys
        for rank in range(3):
            code = f"import sys; sys.stderr.write('rank {rank} val_loss={rank + 5}\\\\n')"
            subprocess.run([sys.executable, "-c", code])
        sys.stdout.write("val_loss=2")
        """
    )
    result = lab.study(job, metrics=LOSS, budget=1).run()
    assert result.best.value == 2
    assert result.trials[0].state is TrialState.COMPLETED
    assert result.trials[0].reason == ""


def test_a_pattern_that_never_matched_fails_the_job_with_the_end_of_its_output(lab: Any) -> None:
    job = script("for n in range(99): print('step', n, 'validation-loss:', 1.5)")
    result = lab.study(job, metrics=LOSS, budget=1, max_failures_at_start=0).run()
    (trial,) = result.trials
    assert trial.state is TrialState.FAILED
    assert trial.reason.startswith("job.metrics.loss: the pattern 'val_loss[=:] *([0-9.e+-]+)'")
    assert "matched no line of the output; the end of its output:\n" in trial.reason
    assert trial.reason.endswith("step 97 validation-loss: 1.5\nstep 98 validation-loss: 1.5")


def test_non_numeric_group_ends_the_job_immediately(lab: Any) -> None:
    job = script("import threading; print('val_loss: .'); threading.Event().wait()")
    result = lab.study(job, metrics=LOSS, budget=1, max_failures_at_start=0).run()
    (trial,) = result.trials
    assert trial.state is TrialState.FAILED
    assert "its metrics could not be read: job.metrics.loss: the group of the" in trial.reason
    assert "the line 'val_loss: .'" in trial.reason


def test_a_script_that_prints_no_metric_any_more_is_silent(lab: Any) -> None:
    job = script("import threading; print('val_loss: 1', flush=True); threading.Event().wait()")
    limits = {"silence_limit": 1.0, "grace": 0.0, "max_failures_at_start": 0}
    result = lab.study(job, metrics=LOSS, budget=1, **limits).run()
    (trial,) = result.trials
    assert trial.state is TrialState.FAILED
    assert trial.reason == "reported nothing for 1 s"


def test_a_file_that_each_job_writes_is_followed_while_it_runs(lab: Any) -> None:
    job = script(
        """
        import sys, threading
        with open("metrics.csv", "w") as file:
            print("epoch,val_loss", file=file, flush=True)
            for epoch in (1, 2):
                print(f"{epoch},{int(sys.argv[1]) / epoch}", file=file, flush=True)
            threading.Event().wait()
        """
    )
    strategy = StopsAll()
    settings = {"metrics_file": "metrics.csv", "metrics": {"loss": "val_loss"}}
    study = lab.study(job, strategy=strategy, iteration="epoch", budget=2, **settings)
    result = study.run()
    assert [trial.state for trial in result.trials] == [TrialState.STOPPED] * 2
    assert strategy.told == [(1, 1.0), (2, 0.5), (1, 2.0), (2, 1.0)]


def test_a_file_of_each_trial_s_own_may_be_named_by_placeholders(lab: Any) -> None:
    job = script(
        """
        import sys
        open(f"{sys.argv[2]}/m-{sys.argv[1]}.json", "w").write('{"loss": 3}')
        """
    )
    result = lab.study(
        [*job, "{checkpoint_dir}"],
        metrics_file="{checkpoint_dir}/m-{x}.json",
        budget=3,
        workers=2,
    ).run()
    assert [trial.value for trial in result.trials] == [3.0] * 3


CONTROLLER = r"""
    import sys
    from hpo_core import Study
    study = Study(
        command=[sys.executable, "job.py", "{x}"],
        parameters={"x": {"type": "int", "low": 1, "high": 9}},
        objective="loss", direction="minimize", budget={"jobs": 1}, strategy="random",
        store="hpo.db", name="s", seed=7, metrics={"loss": r"loss (\d+)"},
        iteration=r"epoch (\d+)",
    )
    study.run(progress=False)
"""


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_is_printed_while_no_controller_lives_counts_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    """The job ends before the next controller comes, or after it."""
    monkeypatch.chdir(tmp_path)
    for pipe in ("began", "dead", "done", "taken"):
        os.mkfifo(pipe)
    (tmp_path / "job.py").write_text(
        textwrap.dedent(
            f"""
            print("epoch 1 loss 5")
            print("epoch 2 loss 4")
            open("began", "w").close()
            open("dead").close()
            print("epoch 3 loss 3")
            open("done", "w").close()
            if {goes_on}:
                open("taken").close()
                print("epoch 4 loss 2")
            """
        )
    )
    (tmp_path / "run.py").write_text(textwrap.dedent(CONTROLLER))
    controller = subprocess.Popen([sys.executable, "run.py"])
    open("began").close()
    controller.send_signal(signal.SIGKILL)
    controller.wait()
    open("dead", "w").close()
    open("done").close()

    class Takes:
        def observe(self, event: StudyEvent, /) -> None:
            if goes_on and isinstance(event, JobReported) and event.iteration == 3:
                open("taken", "w").close()

    study = load_study("hpo.db", "s")
    with HyperParameterOptimizer(study.config, store="hpo.db", observers=[Takes()]) as optimizer:
        optimizer.run()
    said = [(point.iteration, point.metrics["loss"]) for point in study.curve(1)]
    assert said == [(1, 5.0), (2, 4.0), (3, 3.0), *([(4, 2.0)] if goes_on else [])]
    assert [job.state.value for job in study.jobs] == ["completed"]
