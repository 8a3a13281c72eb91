"""The backend `local` with commands, in real processes."""

import json
import math
import os
import signal
import subprocess
import sys
from multiprocessing.connection import Listener
from pathlib import Path

import pytest

from hpo_core.errors import BackendError
from hpo_core.plugin import Finished, Outcome, Reported, Started

REPORT = "import os\ndef report(text): os.write(int(os.environ['HPO_REPORT_FD']), text.encode())\n"


def python(code):
    return ("{python}", "-c", REPORT + code)


def sh(script):
    """Return a command for a shell that can write to descriptors above 9, as in these tests."""
    return ("bash", "-c", script)


def log(job):
    return Path(job.log).read_text()


def test_a_command_starts_reports_and_completes(start):
    script = 'echo \'{{"iteration": 3, "validation/loss": 0.41}}\' >&$HPO_REPORT_FD'
    driver = start("local", command=sh(script))
    end = driver.run()
    assert [type(event) for event in driver.said] == [Started, Reported, Finished]
    assert driver.reports() == [(3, {"validation/loss": 0.41})]
    assert (end.outcome, end.reason, end.metrics) == (Outcome.COMPLETED, "", None)


def test_in_a_fresh_controller_plain_sh_can_report(tmp_path):
    """Its echo can write to descriptors of one digit alone."""
    script = r"""
import tempfile, time
from hpo_core.backends import local
from hpo_core.contracts.backend import *
from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.job import Job
from hpo_core.model.values import Configuration
class Clock:
    now = staticmethod(time.time)
files = [tempfile.TemporaryFile() for _ in range(5)]  # such as a store has
command = ("sh", "-c", "echo '{{\"loss\": 1}}' >&$HPO_REPORT_FD")
context = BackendContext(study="s", study_uid="sh", workers=1, clock=Clock(), decides=False,
    work=Work(command=command), deliver=lambda event: None)
backend = local.build(context, NoOptions())
backend.submit(Job(id="0.1", trial_id=0, name="", configuration=Configuration()))
events = []
while not (events and isinstance(events[-1], Finished)):
    events += backend.events(60)
backend.close()
print(*[dict(event.metrics) for event in events if isinstance(event, Reported)])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "{'loss': 1.0}\n", done.stderr


def test_started_names_the_process(start):
    driver = start("local", command=sh("echo '{{\"pid\": '$$'}}' >&$HPO_REPORT_FD"))
    job = driver.submit()
    handle = driver.started(job).handle
    driver.finished(job)
    assert driver.reports() == [(None, {"pid": float(handle)})]


def test_hpo_core_report_works_in_a_command(start):
    code = "import hpo_core; hpo_core.report(2, loss=float('nan')); print(hpo_core.job())"
    driver = start("local", command=("{python}", "-c", code))
    assert driver.run({"x": 0.5}).outcome is Outcome.COMPLETED
    [(iteration, metrics)] = driver.reports()
    assert iteration == 2
    assert math.isnan(metrics["loss"])


def test_placeholders_and_variables_tell_the_job_all_about_itself(start):
    code = (
        "import json, os, sys; names = 'JOB_ID TRIAL_ID CONFIGURATION ITERATIONS CHECKPOINT_DIR'"
        ";print(json.dumps([sys.argv[1:], [os.environ['HPO_' + n] for n in names.split()],"
        "os.environ['HPO_STUDY_UID'], os.environ['EXTRA'], os.getcwd(),"
        "os.path.isdir(sys.argv[5])]))"
    )
    names = ("{x}", "{iterations}", "{trial_id}", "{job_id}", "{checkpoint_dir}")
    command = ("{python}", "-c", code, *names)
    driver = start("local", command=command, environment={"EXTRA": "ü"})
    job = driver.submit({"x": "a b"}, trial_id=7, id="7.2", iterations=9)
    assert driver.finished(job).outcome is Outcome.COMPLETED
    arguments, variables, uid, extra, directory, has_folder = json.loads(log(job))
    assert arguments == ["a b", "9", "7", "7.2", job.checkpoint_dir]
    assert variables == ["7.2", "7", '{"x": "a b"}', "9", job.checkpoint_dir]
    assert (uid, extra) == (driver.study_uid, "ü")
    assert Path(directory).samefile(Path(__file__).parents[1] / "samples")
    assert has_folder
    assert not os.path.exists(job.checkpoint_dir)  # it has left nothing there


def test_variables_of_the_study_are_filled_in_and_unset_for_inactive_parameters(start, monkeypatch):
    monkeypatch.setenv("DEPTH", "inherited")
    environment = {"LR": "{lr}", "DEPTH": "{depth}", "BRACES": "{{x}}"}
    command = sh('echo "$LR $BRACES"; env | grep "^DEPTH=" || echo unset')
    driver = start("local", command=command, environment=environment)
    job = driver.submit({"lr": 5.6e-05})
    driver.finished(job)
    assert Path(job.log).read_text() == "0.000056 {x}\nunset\n"


def test_without_a_target_there_is_no_iterations_argument_and_no_variable(start, monkeypatch):
    monkeypatch.setenv("HPO_ITERATIONS", "99")  # of a job around this controller
    code = "import os, sys; print(sys.argv[1:], 'HPO_ITERATIONS' in os.environ)"
    driver = start("local", command=("{python}", "-c", code, "--epochs", "{iterations}", "end"))
    job = driver.submit()
    driver.finished(job)
    assert log(job) == "['end'] False\n"


def test_a_command_s_output_goes_to_its_log_and_its_input_is_empty(start):
    driver = start("local", command=sh("echo out; echo error >&2; cat; echo ü"))
    job = driver.submit()
    driver.finished(job)
    assert log(job) == "out\nerror\nü\n"


def test_an_empty_log_is_removed(start):
    driver = start("local", command=("true",))
    job = driver.submit()
    driver.finished(job)
    assert not os.path.exists(job.log)


def test_megabyte_of_output_does_no_harm(start):
    driver = start("local", command=python("print('x' * 1_000_000); report('{{\"loss\": 1}}\\n')"))
    job = driver.submit()
    assert driver.finished(job).outcome is Outcome.COMPLETED
    assert os.path.getsize(job.log) == 1_000_001
    assert driver.reports() == [(None, {"loss": 1.0})]


def test_unicode_names_and_lines_of_100_kilobytes_arrive_whole(start):
    code = (
        "import json, io\n"
        "names = {{'verlust/ü€😀%d' % i: i for i in range(6000)}}\n"
        "line = json.dumps(names, ensure_ascii=False) + '\\n'\n"
        "open(int(os.environ['HPO_REPORT_FD']), 'w', encoding='utf-8').write(line * 3)\n"
    )
    driver = start("local", command=python(code))
    assert driver.run().outcome is Outcome.COMPLETED
    assert [len(metrics) for _, metrics in driver.reports()] == [6000] * 3
    assert driver.reports()[2][1]["verlust/ü€😀5999"] == 5999.0


def test_ten_thousand_reports_arrive_in_their_order(start):
    code = "report(''.join('{{\"iteration\": %d}}\\n' % i for i in range(10_000)))"
    driver = start("local", command=python(code))
    driver.run()
    assert [iteration for iteration, _ in driver.reports()] == list(range(10_000))


def test_a_last_line_without_an_end_counts_and_empty_lines_do_not(start):
    driver = start("local", command=python('report(\'\\n  \\n{{"loss": 1}}\\n\\n{{"loss": 2}}\')'))
    assert driver.run().outcome is Outcome.COMPLETED
    assert driver.reports() == [(None, {"loss": 1.0}), (None, {"loss": 2.0})]


def test_null_nan_and_infinity_are_metrics_that_are_not_finite(start):
    line = '{{"a": null, "b": NaN, "c": -Infinity}}\\n'
    driver = start("local", command=python(f"report('{line}')"))
    assert driver.run().outcome is Outcome.COMPLETED
    [(_, metrics)] = driver.reports()
    assert math.isnan(metrics["a"])
    assert math.isnan(metrics["b"])
    assert metrics["c"] == -math.inf


def test_a_job_may_close_its_pipe_and_go_on(start):
    code = "report('{{\"loss\": 1}}\\n'); os.close(int(os.environ['HPO_REPORT_FD'])); print('on')"
    driver = start("local", command=python(code))
    job = driver.submit()
    assert driver.finished(job).outcome is Outcome.COMPLETED
    assert log(job) == "on\n"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "it is not JSON"),
        ("[1]", "a report is a JSON object"),
        ('{{"loss": "low"}}', "a metric must be a number, and 'loss' is a text"),
        ('{{"iteration": -1, "loss": 1}}', "the iteration must be an integer, 0 or more"),
    ],
)
def test_a_malformed_line_ends_the_job_as_failed(start, line, why):
    code = f"import time; report('{{{{\"loss\": 1}}}}\\n{line}\\n'); time.sleep(600)"
    driver = start("local", command=python(code))
    end = driver.run()
    assert end.outcome is Outcome.FAILED
    assert end.reason.startswith("malformed report line '")
    assert why in end.reason
    assert driver.reports() == [(None, {"loss": 1.0})]


def test_a_malformed_line_is_a_failure_even_when_the_command_exits_with_0(start):
    end = start("local", command=sh("echo nonsense >&$HPO_REPORT_FD")).run()
    assert end.outcome is Outcome.FAILED
    assert end.reason.startswith("malformed report line 'nonsense'")


def test_a_line_that_never_ends_fails_the_job(start):
    end = start("local", command=python("while True: report('x' * 65536)")).run()
    assert end.outcome is Outcome.FAILED
    assert "it is longer than 1,048,576 bytes" in end.reason


def test_an_exit_status_fails_the_job_with_the_log_s_last_lines(start):
    end = start("local", command=sh("seq 30; echo no data >&2; exit 3")).run()
    assert end.outcome is Outcome.FAILED
    lines = end.reason.splitlines()
    assert lines[0] == "exit status 3: no data"
    assert lines[1:] == [*map(str, range(22, 31)), "no data"]


def test_a_signal_that_killed_the_job_is_named(start):
    end = start("local", command=sh("kill -SEGV $$")).run()
    assert (end.outcome, end.reason) == (Outcome.FAILED, "killed by SIGSEGV")


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("trian.py", "no such file, in "),
        ("./plain", "it is not executable; chmod +x it"),
        ("./no_program", "it is not a program; begin it with a #! line"),
    ],
)
def test_a_command_that_cannot_be_started_fails_the_job_and_says_what_to_do(
    start, tmp_path, program, why
):
    (tmp_path / "plain").write_text("print(1)")
    (tmp_path / "no_program").write_text("print(1)")
    (tmp_path / "no_program").chmod(0o755)
    driver = start("local", command=(program,), directory=str(tmp_path))
    end = driver.run()
    assert end.outcome is Outcome.FAILED
    assert end.reason.startswith(f"cannot start '{program}': {why}")
    assert [type(event) for event in driver.said] == [Finished]


def test_cancel_sends_sigterm_and_the_job_may_clean_up(start):
    code = (
        "import signal, sys, time\n"
        "def stop(*_): print('cleaned up'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "report('{{\"loss\": 1}}\\n'); time.sleep(600)"
    )
    driver = start("local", command=python(code))
    job = driver.submit()
    driver.reported(job)
    driver.backend.cancel(job.id, grace=600)
    assert driver.finished(job).outcome is Outcome.CANCELLED
    assert log(job) == "cleaned up\n"


IGNORES = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "report('{{\"loss\": 1}}\\n'); time.sleep(600)"
)


def test_a_job_that_ignores_sigterm_is_killed_after_its_grace(start):
    driver = start("local", command=python(IGNORES))
    job = driver.submit()
    driver.reported(job)
    driver.backend.cancel(job.id, grace=0.3)
    before = driver.said[-1].time
    end = driver.finished(job)
    assert end.outcome is Outcome.CANCELLED
    assert 0.25 < end.time - before < 30


def test_without_grace_a_job_is_killed_at_once(start):
    driver = start("local", command=python(IGNORES))
    job = driver.submit()
    driver.reported(job)
    driver.backend.cancel(job.id, grace=0)
    assert driver.finished(job).outcome is Outcome.CANCELLED


def test_a_second_cancel_may_shorten_the_grace_but_not_lengthen_it(start):
    driver = start("local", command=python(IGNORES))
    job = driver.submit()
    driver.reported(job)
    for grace in (600, 0.1, 600):
        driver.backend.cancel(job.id, grace=grace)
    assert driver.finished(job).outcome is Outcome.CANCELLED


def test_to_cancel_a_job_that_has_ended_does_nothing(start):
    driver = start("local", command=("true",))
    job = driver.submit()
    assert driver.finished(job).outcome is Outcome.COMPLETED
    driver.backend.cancel(job.id, grace=0)
    assert driver.backend.events(0.01) == []


def test_what_a_job_leaves_in_its_group_ends_with_it(start, ends):
    script = "sleep 600 & echo '{{\"pid\": '$!'}}' >&$HPO_REPORT_FD"
    driver = start("local", command=sh(script))
    assert driver.run().outcome is Outcome.COMPLETED
    [(_, metrics)] = driver.reports()
    assert ends(int(metrics["pid"]))


def test_a_wrapper_s_child_has_the_grace_too_though_the_wrapper_dies_at_once(start, tmp_path):
    (tmp_path / "train.py").write_text(
        "import os, signal, sys, time\n"
        "def stop(*_): time.sleep(0.2); print('saved', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "os.write(int(os.environ['HPO_REPORT_FD']), b'{\"loss\": 1}\\n'); time.sleep(600)\n"
    )
    script = f"{sys.executable} train.py; echo never"
    driver = start("local", command=sh(script), directory=str(tmp_path))
    job = driver.submit()
    driver.reported(job)
    driver.backend.cancel(job.id, grace=600)
    assert driver.finished(job).outcome is Outcome.CANCELLED
    assert "saved\n" in log(job)
    assert "never" not in log(job)


def test_a_wrapper_s_child_that_ignores_sigterm_is_killed_after_the_grace(start, tmp_path):
    (tmp_path / "train.py").write_text(REPORT + IGNORES.replace("{{", "{").replace("}}", "}"))
    script = f"{sys.executable} train.py; echo never"
    driver = start("local", command=sh(script), directory=str(tmp_path))
    job = driver.submit()
    driver.reported(job)
    driver.backend.cancel(job.id, grace=0.2)
    assert driver.finished(job).outcome is Outcome.CANCELLED


def test_four_jobs_run_at_once(start, tmp_path):
    """Each of them waits for all the others."""
    code = "import sys\nfrom multiprocessing.connection import Client\nClient(sys.argv[1]).recv()"
    with Listener(str(tmp_path / "meeting")) as meeting:
        driver = start("local", command=(*python(code), str(tmp_path / "meeting")))
        jobs = [driver.submit() for _ in range(4)]
        guests = [meeting.accept() for _ in jobs]
        for guest in guests:
            guest.send("go")
        assert {driver.finished(job).outcome for job in jobs} == {Outcome.COMPLETED}
        for guest in guests:
            guest.close()


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="needs waitid")
def test_where_the_system_has_no_pidfd_a_thread_sees_the_exit(start, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    driver = start("local", command=sh("exit 3"))
    assert driver.run().reason == "exit status 3"


def test_a_folder_that_does_not_exist_is_refused(start, tmp_path):
    with pytest.raises(BackendError, match="does not exist"):
        start("local", command=("true",), directory=str(tmp_path / "nowhere"))


def test_a_signal_handler_may_wake_events(start):
    driver = start("local", command=("true",))
    before = signal.signal(signal.SIGALRM, lambda *_: driver.backend.wake())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert driver.backend.events(None) == []
    finally:
        signal.signal(signal.SIGALRM, before)
