"""The promises of docs/security.md, each with a test."""

from __future__ import annotations

import ast
import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hpo_core.testing.driver import HANGS

ROOT = Path(__file__).parents[1]
SOURCES = [*ROOT.glob("hpo_core/**/*.py"), *ROOT.glob("plugins/*/hpo_*/**/*.py")]
HPO = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]

UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "pty"}
UNSAFE_CALLS = {"eval", "exec", "compile", "execfile"}
UNSAFE_ATTRIBUTES = {("os", "system"), ("os", "popen"), ("subprocess", "getoutput")}
ALLOWED = {
    # A function that workers can't import is pickled in memory, and unpickled by the processes that
    # this study's controller has given the descriptor to. It is never stored.
    "hpo_core/backends/pickled.py: imports cloudpickle",
    # Optuna's CMA-ES keeps a pickle among its own attributes, in memory. It is read as Optuna has
    # just written it there, and written from plain JSON of three known classes.
    "plugins/hpo-optuna/hpo_optuna/recovery.py: imports pickle",
    # scikit-learn's library counts processors, and hashes the data. It unpickles nothing.
    "plugins/hpo-sklearn/hpo_sklearn/search.py: imports joblib",
    "plugins/hpo-sklearn/hpo_sklearn/stored.py: imports joblib",
    "plugins/hpo-sklearn/hpo_sklearn/stored.py: imports pickle",
}


def unsafe(path: Path) -> set[str]:
    """Return what a source file has that could run what somebody else has written."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                found |= {f"imports {one.name}" for one in names if one.name in UNSAFE_MODULES}
            case ast.ImportFrom(module=str(module)) if module in UNSAFE_MODULES:
                found.add(f"imports {module}")
            case ast.Call(func=ast.Name(id=name)) if name in UNSAFE_CALLS:
                found.add(f"calls {name}")
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (
                module,
                name,
            ) in UNSAFE_ATTRIBUTES:
                found.add(f"uses {module}.{name}")
            case ast.keyword(arg="shell", value=value) if not (
                isinstance(value, ast.Constant) and value.value is False
            ):
                found.add("gives a shell")
    return {f"{path.relative_to(ROOT)}: {what}" for what in found}


def test_nothing_is_unpickled_evaluated_or_given_to_a_shell() -> None:
    assert len(SOURCES) > 150
    assert set().union(*map(unsafe, SOURCES)) == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from marshal import loads",
        "eval('1')",
        "import os; os.system('ls')",
        "import subprocess; subprocess.run('ls', shell=True)",
    ],
)
def test_the_search_finds_what_it_is_for(source: str, tmp_path: Path) -> None:
    file = ROOT / "hpo_core" / "x.py"  # never written: only its name is used
    written = tmp_path / "x.py"
    written.write_text(source)

    class Elsewhere(type(file)):  # type: ignore[misc]  # a path that is read from another place
        def read_text(self, encoding: str | None = None) -> str:
            return written.read_text(encoding=encoding)

    assert unsafe(Elsewhere(file))


# -- studies ---------------------------------------------------------------------------------

REPORTS = """
import json, os, sys
with open("arguments", "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
report = json.dumps({"loss": 1.0, METRIC: 2.0}) + "\\n"
os.write(int(os.environ["HPO_REPORT_FD"]), report.encode())
print(METRIC)
"""


def write(folder: Path, choices: list[str], metric: str = "other", **changes: object) -> None:
    study = {
        "name": "safe",
        "seed": 1,
        "strategy": "grid",
        "objective": {"metric": "loss", "direction": "minimize"},
        "job": {"command": ["{python}", "job.py", "{x}", "--x={x}"], "reads_configuration": True},
        "parameters": {"x": {"type": "categorical", "choices": choices}},
    }
    (folder / "study.json").write_text(json.dumps({**study, **changes}))
    (folder / "job.py").write_text(f"METRIC = {metric!r}\n{REPORTS}")


def hpo(folder: Path, *arguments: str, umask: int = -1) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HPO_")}
    ended = subprocess.run(
        [*HPO, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGS,
        umask=umask,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def files(folder: Path) -> Path:
    """Return the folder of the one study."""
    (path,) = (folder / "hpo.files").iterdir()
    return path


def stored(folder: Path) -> None:
    """Make a store with a study that was never begun, and its folder."""
    from hpo_core import HyperParameterOptimizer
    from hpo_core.controller.strategy.read_config import read_config
    from hpo_core.store.store import Store

    write(folder, ["a", "b"])
    config = read_config(json.loads((folder / "study.json").read_text()), folder)
    with (
        HyperParameterOptimizer(config, store=folder / "hpo.db"),
        Store(folder / "hpo.db") as store,
    ):
        store.folder(store.study("safe")).make()


NASTY = ["; touch pwned", "$(touch pwned)", "`touch pwned`", "a b\n--evil", "'\"\\", "--help", "*"]


def test_a_value_stays_one_argument_whatever_it_holds(tmp_path: Path) -> None:
    write(tmp_path, NASTY)
    assert hpo(tmp_path, "run", "study.json", "--quiet").returncode == 0
    lines = (tmp_path / "arguments").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [[value, f"--x={value}"] for value in NASTY]
    assert not (tmp_path / "pwned").exists()


def test_a_value_that_no_argument_can_hold_is_refused_at_the_start(tmp_path: Path) -> None:
    write(tmp_path, ["a\0b", "fine"])
    ended = hpo(tmp_path, "run", "study.json", "--quiet")
    assert ended.returncode == 2
    assert "an argument of a process cannot contain the character NUL" in ended.stderr
    assert not (tmp_path / "arguments").exists()


CONTROL = "\x1b[2J\x1b]0;title\x07\x9b31m\r\x08"


@pytest.mark.parametrize("command", ["top", "jobs", "show", "run"])
def test_control_characters_of_names_and_metrics_do_not_reach_the_terminal(
    tmp_path: Path, command: str
) -> None:
    write(
        tmp_path,
        [f"value {CONTROL}"],
        f"metric {CONTROL}",
        tags=[f"tag {CONTROL}"],
        constraints=[{"metric": f"metric {CONTROL}", "bound": 3}],
        job_name="{x}",
    )
    ran = hpo(tmp_path, "run", "study.json")
    assert ran.returncode == 0
    shown = ran if command == "run" else hpo(tmp_path, command, "safe")
    text = shown.stdout + shown.stderr
    assert "x1b" in text
    assert set(text) & set("\x1b\x07\x9b\r\x08") == set()


@pytest.mark.parametrize("name", ["../safe", "a/b", "/tmp/x", "..", "-rf", "a\nb", "a\0b", ".x"])
def test_no_study_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    write(tmp_path, ["a"], name=name)
    ended = hpo(tmp_path, "run", "study.json")
    assert ended.returncode == 2
    assert "is not a valid name" in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.py", "study.json"]


def test_what_is_logged_does_not_steer_the_terminal(tmp_path: Path) -> None:
    space = {f"x{CONTROL}": {"type": "categorical", "choices": ["a", "b"]}}
    write(tmp_path, [], parameters=space, job={"command": ["{python}", "job.py"]}, tags=["a"])
    hpo(tmp_path, "run", "study.json", "--quiet")
    change(tmp_path, "UPDATE study SET plugins = json_set(plugins, "
                     "'$.strategy.version', ?), state = 'interrupted'", CONTROL)  # fmt: skip
    ended = hpo(tmp_path, "resume", "safe", "--quiet")
    assert "x1b" in ended.stderr
    assert set(ended.stderr) & set("\x1b\x07\x9b\r\x08") == set()


def change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        connection.execute(statement, values)


def test_a_name_that_was_changed_in_the_store_leads_nowhere_either(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    write(inside, ["a", "b"])
    hpo(inside, "run", "study.json", "--quiet")
    change(inside, "UPDATE study SET name = '../../outside', state = 'interrupted'")
    for command in ("resume", "jobs", "stop"):
        ended = hpo(inside, command, "../../outside")
        assert ended.returncode == 2, ended
        assert "is not a valid study name" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


def test_a_store_names_installed_plugins_and_nothing_else_is_imported(tmp_path: Path) -> None:
    write(tmp_path, ["a", "b"], budget={"jobs": 1})
    hpo(tmp_path, "run", "study.json", "--quiet")
    (tmp_path / "evil.py").write_text("open('pwned', 'w')")
    for name in ("evil", "evil:main", "os:system", "../evil"):
        change(
            tmp_path,
            "UPDATE study SET state = 'interrupted', config = json_set(config, "
            "'$.strategy.name', ?, '$.strategy.options', json('{}'))",
            name,
        )
        ended = hpo(tmp_path, "resume", "safe", "--trust")
        assert ended.returncode == 2
        assert "is installed" in ended.stderr
    assert not (tmp_path / "pwned").exists()


def test_carrying_on_from_the_store_of_another_user_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from hpo_core import HyperParameterOptimizer
    from hpo_core.config import from_json
    from hpo_core.store.store import Store

    write(tmp_path, ["a", "b"], budget={"jobs": 1})
    hpo(tmp_path, "run", "study.json", "--quiet")
    with Store(tmp_path / "hpo.db") as store:
        config = from_json(store.study("safe").config)
    HyperParameterOptimizer(config, store=tmp_path / "hpo.db").close()
    assert "belongs to" not in caplog.text
    if os.getuid() == 0:
        os.chown(tmp_path / "hpo.db", 54321, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 54321)
    HyperParameterOptimizer(config, store=tmp_path / "hpo.db").close()
    assert "belongs to another user" in caplog.text


PICKLED = "cposix\nsystem\n(S'touch pwned'\ntR."


def test_a_pickle_that_was_put_into_a_store_is_not_unpickled(tmp_path: Path) -> None:
    """Optuna's CMA-ES reads one from its attributes: from a trial's notes none comes there."""
    floats = {name: {"type": "float", "low": 0, "high": 1} for name in ("x", "y")}
    write(tmp_path, [], parameters=floats, strategy="optuna:cmaes", budget={"jobs": 8})
    assert hpo(tmp_path, "run", "study.json", "--quiet").returncode == 0
    change(tmp_path, "UPDATE study SET state = 'interrupted', config = json_set(config, "
                     "'$.budget.jobs', 20)")  # fmt: skip
    evil = {"cma:optimizer:0": PICKLED.encode().hex(), "cma:generation": 0}
    rows = [(8, "notes"), (7, "notes")]
    for trial, column in rows:
        change(
            tmp_path,
            f"UPDATE trial SET {column} = json_patch(coalesce({column}, '{{}}'), ?) WHERE id = ?",
            json.dumps({"attributes": evil, **evil}),
            trial,
        )
    hpo(tmp_path, "resume", "safe", "--quiet")
    assert not (tmp_path / "pwned").exists()


def test_files_are_the_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    write(tmp_path, ["a", "b"])
    with open(tmp_path / "job.py", "a") as job:
        job.write("import os\nos.mkdir(os.environ['HPO_CHECKPOINT_DIR'] + '/state', 0o700)\n")
    assert hpo(tmp_path, "run", "study.json", "--quiet", umask=0).returncode == 0
    hpo(tmp_path, "export", "safe", "-o", "trials.csv", umask=0)
    made = [*tmp_path.glob("hpo.*"), tmp_path / "trials.csv", *tmp_path.glob("hpo.files/**/*")]
    names = {str(path.relative_to(tmp_path)) for path in made}
    here = files(tmp_path).relative_to(tmp_path)
    assert names >= {"hpo.db", f"{here}/logs/1.1.log", f"{here}/checkpoints/1", f"{here}/lock"}
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_file_of_the_store_is_the_users_alone_while_it_is_written(tmp_path: Path) -> None:
    from hpo_core.store.store import Store

    before = os.umask(0)
    try:
        with Store(tmp_path / "hpo.db") as store, store.writing():
            companions = sorted(path.name for path in tmp_path.iterdir())
            assert companions == ["hpo.db", "hpo.db-shm", "hpo.db-wal"]
            assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_a_link_in_place_of_a_log_is_not_followed(tmp_path: Path) -> None:
    stored(tmp_path)
    logs = files(tmp_path) / "logs"
    logs.mkdir()
    (tmp_path / "precious").write_text("kept")
    (logs / "1.1.log").symlink_to(tmp_path / "precious")
    hpo(tmp_path, "run", "study.json", "--quiet")
    jobs = json.loads(hpo(tmp_path, "jobs", "safe", "--json").stdout)
    assert [job["state"] for job in jobs] == ["failed", "completed"]
    assert "symbolic links" in jobs[0]["reason"]
    assert (tmp_path / "precious").read_text() == "kept"


def test_only_a_controllers_pipe_is_written_to(tmp_path: Path) -> None:
    write(tmp_path, ["a", "b"])
    hpo(tmp_path, "run", "study.json", "--quiet")
    (tmp_path / "precious").write_text("kept")
    control = files(tmp_path) / "control"
    for plant in (lambda: control.symlink_to(tmp_path / "precious"), lambda: control.touch()):
        plant()
        assert hpo(tmp_path, "enqueue", "safe", "x=a").returncode == 0
        assert control.read_text() in ("", "kept")
        control.unlink()
    assert (tmp_path / "precious").read_text() == "kept"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_a_folder_that_somebody_else_has_put_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ["a", "b"])
    folder = tmp_path / "hpo.files"
    folder.mkdir(mode=0o777)
    os.chown(folder, 54321, -1)
    ended = hpo(tmp_path, "run", "study.json")
    assert ended.returncode == 2
    assert "belongs to another user (54321), and the store does not" in ended.stderr
    assert list(folder.iterdir()) == []
    os.chown(tmp_path / "hpo.db", 54321, -1)  # then it is their study, which is warned of
    assert "belongs to another user" in hpo(tmp_path, "run", "study.json", "--quiet").stderr


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"HPO_STUDY_UID": "x"}, "environment.HPO_STUDY_UID: is set by hpo-core itself"),
        ({"HPO_JOB_ID": "1.1"}, "environment.HPO_JOB_ID: is set by hpo-core itself"),
        ({"A=B": "x"}, "environment.A=B: no process can have it"),
        ({"A": "x\0y"}, "environment.A: no process can have it"),
        ({"": "x"}, "no process can have it"),
    ],
)
def test_variables_of_jobs_do_not_stand_above_those_by_which_they_are_found(
    tmp_path: Path, variables: dict[str, str], says: str
) -> None:
    job = {"command": ["{python}", "job.py", "{x}"], "environment": variables}
    write(tmp_path, ["a"], job=job)
    ended = hpo(tmp_path, "run", "study.json")
    assert ended.returncode == 2
    assert says in ended.stderr


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    stored(tmp_path)
    folder = files(tmp_path)
    (tmp_path / "precious").write_text("kept")
    (folder / "lock").symlink_to(tmp_path / "precious")
    ended = hpo(tmp_path, "run", "study.json")
    assert ended.returncode == 2
    assert "cannot lock" in ended.stderr
    assert (tmp_path / "precious").read_text() == "kept"
