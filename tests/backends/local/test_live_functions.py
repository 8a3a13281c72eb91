"""Functions that workers can't import are sent to them, in memory; each behaviour by its name."""

import functools
import os
import sys
import threading

import pytest

from hpo_core.errors import BackendError
from hpo_core.plugin import Outcome


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def method(self, configuration):
        return self.factor * configuration["x"]

    def __call__(self, configuration, job):
        return self.factor * configuration["x"] + job.trial_id


def functions():
    factor = 3.0

    def nested(configuration):
        return factor * configuration["x"]

    return {
        "lambda": lambda configuration: 3.0 * configuration["x"],
        "closure": nested,
        "bound method": Scale(3.0).method,
        "callable object": Scale(3.0),
        "partial": functools.partial(lambda factor, values: factor * values["x"], 3.0),
    }


@pytest.mark.parametrize("kind", functions())
def test_what_no_process_can_import_runs_in_a_worker(start, kind):
    driver = start("local", callable=functions()[kind])
    end = driver.run({"x": 2.0}, trial_id=0)
    assert (end.outcome, end.metrics) == (Outcome.COMPLETED, {"loss": 6.0}), end.reason


def test_it_reports_and_is_told_the_job(start):
    def told(configuration, job):
        from hpo_core import report

        report(1, loss=float(job.trial_id))
        return {"pid": os.getpid()}

    driver = start("local", callable=told)
    end = driver.run(trial_id=7)
    assert driver.reports() == [(1, {"loss": 7.0})]
    assert end.metrics["pid"] != os.getpid()


class Data:
    """Large data, which notes each process that it is unpickled in."""

    def __init__(self, note, starts_thread):
        self.note, self.starts_thread = note, starts_thread

    def __setstate__(self, state):
        self.__dict__.update(state)
        with open(self.note, "a") as file:
            file.write(f"{os.getpid()}\n")
        if self.starts_thread:
            threading.Thread(target=threading.Event().wait, daemon=True).start()


def sent(start, folder, starts_thread):
    """Run 8 jobs on two workers; return the workers, and the processes that have unpickled."""
    data = Data(str(folder / "note"), starts_thread)
    driver = start(
        "local", callable=lambda c: {"pid": os.getpid(), "is": float(data.starts_thread)}, workers=2
    )
    workers = set()
    for _ in range(4):
        jobs = [driver.submit(), driver.submit()]
        ends = [driver.finished(job) for job in jobs]
        assert [end.reason for end in ends] == ["", ""]
        workers |= {end.metrics["pid"] for end in ends}
    return workers, (folder / "note").read_text().split()


@pytest.mark.skipif(sys.platform != "linux", reason="forks workers on Linux alone")
def test_what_it_needs_reaches_all_forked_workers_at_once(start, tmp_path):
    workers, unpickled = sent(start, tmp_path, starts_thread=False)
    assert len(unpickled) == 1
    assert len(workers) <= 2


def test_what_it_needs_reaches_each_new_worker_once_and_not_with_each_job(start, tmp_path, caplog):
    workers, unpickled = sent(start, tmp_path, starts_thread=True)
    assert len(unpickled) == len(set(unpickled))
    assert workers <= set(map(int, unpickled))
    assert len(unpickled) <= 3  # two workers, and the process that could not be forked
    assert "since its module has started threads" in caplog.text


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda lock: lambda configuration: lock,
            "lock, of the type lock, can't be pickled (TypeError: ",
        ),
        (
            lambda lock: functools.partial(print, {"a": [1, lock]}),
            "[argument 0]['a'][1], of the type lock, can't be pickled",
        ),
        (lambda lock: Scale(lock).method, "self.factor, of the type lock, can't be pickled"),
        (lambda lock: Scale(lock), "factor, of the type lock, can't be pickled"),
    ],
)
def test_what_cannot_be_pickled_is_named_with_the_remedy(start, make, says):
    with pytest.raises(BackendError) as caught:
        start("local", callable=make(threading.Lock()))
    assert says in str(caught.value)
    assert str(caught.value).startswith("the function ")
    assert str(caught.value).endswith("create it inside the function, or pass backend='inline'")


def test_without_cloudpickle_the_error_says_what_to_install(start, monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(BackendError, match=r"pip install 'hpo-core\[notebook\]', or define it"):
        start("local", callable=lambda configuration: 0.0)


STARTS_A_STUDY = """
from hpo_core import Study
from hpo_core.client import end_loading
def helper(): pass
end_loading()
"""


def test_a_module_that_starts_a_study_when_it_is_imported_fails_the_job(
    start, tmp_path, monkeypatch
):
    (tmp_path / "begins.py").write_text(STARTS_A_STUDY)
    monkeypatch.syspath_prepend(tmp_path)
    import begins

    end = start("local", callable=lambda configuration: begins.helper(), metric=None).run()
    assert end.outcome is Outcome.FAILED
    assert "starts a study when it is imported" in end.reason


def test_what_fails_to_be_unpickled_fails_the_job_with_the_reason(start, tmp_path):
    data = Data(str(tmp_path / "no" / "such"), starts_thread=False)
    end = start("local", callable=lambda configuration: data).run()
    assert end.outcome is Outcome.FAILED
    assert "cannot load" in end.reason
    assert "FileNotFoundError" in end.reason
