"""Opening a store: what is created, what is rejected, and the messages."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from hpo_core.errors import StoreError, UnknownStudy
from hpo_core.model.errors import UnknownJob
from hpo_core.store import schema
from hpo_core.store.schema import is_store
from hpo_core.store.store import Store


def executed(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def test_a_new_store_is_marked_as_one_and_is_its_user_s_alone(tmp_path):
    path = tmp_path / "hpo.db"
    Store(path).close()
    for pragma, value in (
        ("application_id", schema.APPLICATION_ID),
        ("user_version", schema.VERSION),
        ("journal_mode", "wal"),
    ):
        assert executed(path, f"PRAGMA {pragma}") == [(value,)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_store_is_opened_again_as_it_was(tmp_path):
    path = tmp_path / "hpo.db"
    with Store(path) as store:
        store.create("first", "{}", {}, 0.0)
    with Store(path) as store:
        assert [study.name for study in store.studies()] == ["first"]


def test_an_empty_file_becomes_a_store(tmp_path):
    path = tmp_path / "hpo.db"
    path.touch()
    with Store(path) as store:
        assert store.studies() == []


def test_a_store_that_must_exist_and_does_not_is_an_error_with_the_remedy(tmp_path):
    path = tmp_path / "hpo.db"
    with pytest.raises(StoreError, match=f"there is no store at {path}; name another"):
        Store(path, create=False)
    assert not path.exists()


def test_a_newer_schema_says_what_to_install(tmp_path):
    path = tmp_path / "hpo.db"
    Store(path).close()
    executed(path, f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(StoreError, match=r"written by a newer hpo-core .*pip install -U hpo-core"):
        Store(path)


def test_another_program_s_database_is_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    executed(path, "CREATE TABLE mine (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is an SQLite file, but not a store of hpo-core"):
        Store(path)
    assert path.read_bytes() == before


def test_rubbish_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"these are my notes\n" * 100)
    with pytest.raises(StoreError, match=f"cannot open the store {path}: file is not a database"):
        Store(path)
    assert path.read_bytes() == b"these are my notes\n" * 100


def test_folder_is_not_a_store(tmp_path):
    with pytest.raises(StoreError, match=f"cannot open the store {tmp_path}: it is a folder"):
        Store(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "hpo.db"
    with pytest.raises(StoreError, match=f"there is no folder {path.parent}"):
        Store(path)


READ_ONLY = """
import os, sys
from hpo_core.model.errors import StoreError
from hpo_core.store.store import Store

if os.geteuid() == 0:
    os.setuid(65534)
try:
    Store(sys.argv[1])
except StoreError as error:
    print(error)
"""


@pytest.fixture
def open_folder():
    """A folder that other users may look into: those of pytest they may not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def opened_by_a_user_without_rights(path):
    """Open a store as a user who may only read; the system's own administrator may do all."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(READ_ONLY), str(path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_read_only_folder_is_named(open_folder):
    os.chmod(open_folder, 0o555)
    path = open_folder / "hpo.db"
    assert opened_by_a_user_without_rights(path) == (
        f"cannot make the store {path}: the folder {open_folder} is not writable"
    )


def test_descriptors_are_closed_whatever_goes_wrong(tmp_path):
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"x" * 5000)
    for _ in range(3):
        with pytest.raises(StoreError):
            Store(rubbish)
        Store(tmp_path / "hpo.db").close()
    files = Path("/proc/self/fd").iterdir()
    open_here = [file for file in files if os.path.realpath(file).startswith(str(tmp_path))]
    assert open_here == []


MAKES = """
import sys
from hpo_core.store.store import Store
with Store(sys.argv[1]) as store:
    store.create(sys.argv[2], "{}", {}, 0.0)
"""


def test_several_processes_may_make_the_store_at_once(tmp_path):
    path = str(tmp_path / "hpo.db")
    makers = [subprocess.Popen([sys.executable, "-c", MAKES, path, f"s{n}"]) for n in range(6)]
    assert [maker.wait(60) for maker in makers] == [0] * 6
    with Store(path) as store:
        assert sorted(study.name for study in store.studies()) == [f"s{n}" for n in range(6)]


def test_closed_store_raises_its_own_error(tmp_path):
    store = Store(tmp_path / "hpo.db")
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.studies()


def test_what_fails_in_a_transaction_is_undone_altogether(tmp_path):
    with Store(tmp_path / "hpo.db") as store:
        store.create("first", "{}", {}, 0.0)

        def half():
            with store.writing() as connection:
                connection.execute("UPDATE study SET reason = 'half done'")
                connection.execute("INSERT INTO no_such VALUES (1)")

        with pytest.raises(StoreError, match=r"cannot write to the store .*no such table"):
            half()
        assert store.study("first").reason == ""
        assert not store.connection.in_transaction


def test_an_unknown_study_names_the_nearest_and_all_others(tmp_path):
    with Store(tmp_path / "hpo.db") as store:
        for name in ("digits", "wine"):
            store.create(name, "{}", {}, 0.0)
        with pytest.raises(UnknownStudy, match=r"no study 'digit'; did you mean 'digits'.*wine"):
            store.study("digit")


def test_an_unknown_job_says_where_to_look(tmp_path):
    with Store(tmp_path / "hpo.db") as store:
        study = store.create("digits", "{}", {}, 0.0)
        for job in ("1", "1.1", "x", "", "1.x", "-1"):
            with pytest.raises(UnknownJob, match="see: hpo jobs digits"):
                store.job(study, job)


def test_two_studies_of_one_name_are_refused(tmp_path):
    with Store(tmp_path / "hpo.db") as store:
        store.create("digits", "{}", {}, 0.0)
        with pytest.raises(StoreError, match="UNIQUE"):
            store.create("digits", "{}", {}, 0.0)


HOLDS = """
import sys
from hpo_core.store.schema import is_store
from hpo_core.store.store import Store
store = Store(sys.argv[1])
store.connection.execute("PRAGMA locking_mode")
assert is_store(sys.argv[1])
print(open("/proc/locks").read())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/locks")
def test_to_look_whether_a_file_is_a_store_leaves_the_locks_of_an_open_one(tmp_path):
    """POSIX gives up a process's locks on a file whenever the process closes it."""
    path = tmp_path / "hpo.db"
    Store(path).close()
    looked = subprocess.run(
        [sys.executable, "-c", HOLDS, str(path)], capture_output=True, text=True
    )
    assert looked.returncode == 0, looked.stderr
    assert f":{path.stat().st_ino} " in looked.stdout


@pytest.mark.parametrize("content", [b"", b"text", b"SQLite format 3\0" + b"x" * 200])
def test_file_that_is_not_a_store_is_rejected(tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    assert not is_store(file)
    assert not is_store(tmp_path)
    assert not is_store(tmp_path / "nothing")


def test_a_store_with_a_special_name_is_one(tmp_path):
    path = tmp_path / "a b?mode=rw#100%.db"
    with Store(path):
        assert is_store(path)
    assert is_store(path)
