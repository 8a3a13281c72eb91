"""A study in a real kernel: `make integration-notebook`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient

HANGS = 120  # seconds after which a cell that does not end has failed

DEFINES = """
import numpy as np
from hpo_core import Float, Study, load_study, report

data = np.arange(1000.0)

def train(configuration):
    for epoch in range(1, 4):
        report(epoch, loss=float(abs(data.mean() - configuration["x"]) / epoch))

def study(**changes):
    return Study(**{
        "function": train, "parameters": [Float("x", 0, 1000)], "objective": "loss",
        "direction": "minimize", "budget": {"jobs": 6}, "workers": 2, "seed": 1,
        "name": "cell", "store": "hpo.db", **changes,
    })
"""


def run(folder: Path, *cells: str) -> list[Any]:
    """Run cells in a new kernel; return the outputs of each."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (DEFINES, *cells)]
    )
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=HANGS, kernel_name="python3", resources=resources).execute()
    return [cell.outputs for cell in notebook.cells[1:]]


def printed(outputs: list[Any]) -> str:
    return "".join(each.text for each in outputs if each.output_type == "stream")


def test_a_function_of_a_cell_runs_in_workers_under_a_progress_bar(tmp_path: Path) -> None:
    ran, best, reads = run(
        tmp_path,
        "mine = study(); _ = mine.run()",
        "mine",
        "print(mine.config.job.function, mine.best.value < 500, mine.state.value)",
    )
    [shown] = [each.data for each in ran if each.output_type == "display_data"]
    assert '<progress max="1" value="1.0000">' in shown["text/html"]
    assert "6 done, 0 running, 0 failed; left: 0 jobs" in shown["text/plain"]
    assert printed(ran) == ""
    [result] = best
    assert result.data["text/html"].startswith("<div><b>cell</b>")
    assert "<th>loss</th><th>iteration</th><th>x</th>" in result.data["text/html"]
    assert result.data["text/plain"].startswith("<Study 'cell' in hpo.db: finished, 6 trials")
    assert printed(reads) == "__main__:train True finished\n"


def test_a_new_kernel_resumes_it_with_the_function_of_its_own_cell(tmp_path: Path) -> None:
    run(tmp_path, "study().run()")
    lambdas, without, again = run(
        tmp_path,
        "print(study(name='other', function=lambda c: c['x']).run().state.value)",
        """
stored = load_study("hpo.db", "cell")
stored.extend(jobs=8)
try:
    stored.resume()
except Exception as error:
    print(type(error).__name__, error)
""",
        "print(len(stored.resume(function=train, progress=False).trials))",
    )
    assert printed(lambdas).endswith("finished\n")
    assert "BackendError the study 'cell' calls __main__:train" in printed(without)
    assert ".resume(function=...)" in printed(without)
    assert printed(again).endswith("8\n")


def test_interrupting_the_cell_ends_the_jobs_and_the_study_goes_on(tmp_path: Path) -> None:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=HANGS)
        client.execute_interactive(DEFINES, timeout=HANGS)
        waits = """
import threading

def waits(configuration):
    report(1, loss=1.0)
    threading.Event().wait()

def interrupt(job):
    import os, signal
    os.kill(os.getpid(), signal.SIGINT)

class Interrupts:
    def observe(self, event):
        if type(event).__name__ == "JobReported":
            interrupt(event)

mine = study(function=waits, observers=[Interrupts()], grace=0.1)
try:
    mine.run()
except KeyboardInterrupt:
    print("interrupted")
print(mine.state.value)
"""
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                said.append(message["content"]["text"])

        client.execute_interactive(waits, timeout=HANGS, output_hook=hear)
        assert "".join(said).endswith("interrupted\ninterrupted\n")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("word", [b"cloudpickle", b"np.arange"])
def test_the_store_of_a_notebook_s_study_holds_the_function_s_name_alone(
    tmp_path: Path, word: bytes
) -> None:
    run(tmp_path, "study().run()")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "hpo.db" in files
    assert not [path for path in files if word in path.read_bytes()]
    with closing(sqlite3.connect(tmp_path / "hpo.db")) as connection:
        row = connection.execute("SELECT config ->> '$.job.function' FROM study").fetchone()
    assert row == ("__main__:train",)
