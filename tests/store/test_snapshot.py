from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hpo_core.store import snapshot
from hpo_core.store.snapshot import copy_folder

SHARDS = 20


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "inner").mkdir(parents=True)
    (folder / "state").write_text("one")
    (folder / "inner" / "deep").write_text("two")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


def test_files_and_folders_are_copied_with_their_times(source: Path, target: Path) -> None:
    os.utime(source / "state", ns=(5, 5))
    os.utime(source / "inner", ns=(7, 7))
    assert copy_folder(str(source), str(target)) == []
    assert (target / "state").read_text() == "one"
    assert (target / "inner" / "deep").read_text() == "two"
    assert (target / "state").stat().st_mtime_ns == 5
    assert (target / "inner").stat().st_mtime_ns == 7
    (source / "state").write_text("changed")
    assert (target / "state").read_text() == "one"


@pytest.mark.parametrize(
    ("link", "copied"),
    [
        ("state", "state"),
        ("nowhere", "nowhere"),
        ("link", "link"),  # to itself
        (".", "."),
        ("{source}/inner/deep", "inner/deep"),
        ("{source}", "."),
        ("..", None),
        ("../source/state", None),
        ("inner/../state", None),  # `inner` might be a link
        ("/etc/hostname", None),
        ("{source}-other", None),
    ],
)
def test_a_link_stays_a_link_and_never_leads_out(
    source: Path, target: Path, link: str, copied: str | None
) -> None:
    (source / "link").symlink_to(link.format(source=source))
    left_out = copy_folder(str(source), str(target))
    if copied is None:
        assert left_out == ["the link 'link', which points outside of the folder"]
        assert not os.path.lexists(target / "link")
    else:
        assert left_out == []
        assert os.readlink(target / "link") == copied


@pytest.mark.parametrize(
    ("link", "copied"), [("../state", "../state"), ("{source}/state", "../state"), ("../..", None)]
)
def test_a_link_in_a_folder_within_leads_to_the_same_place(
    source: Path, target: Path, link: str, copied: str | None
) -> None:
    (source / "inner" / "link").symlink_to(link.format(source=source))
    copy_folder(str(source), str(target))
    found = target / "inner" / "link"
    assert (os.readlink(found) if os.path.lexists(found) else None) == copied


def test_a_link_to_a_folder_is_not_followed(source: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "secret").write_text("not the job's")
    (source / "link").symlink_to(tmp_path / "big")
    (source / "again").symlink_to("inner")
    copy_folder(str(source), str(target))
    assert sorted(os.listdir(target)) == ["again", "inner", "state"]
    assert os.readlink(target / "again") == "inner"


def test_sockets_and_pipes_are_left_out_and_named(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(source / "pipe")
    monkeypatch.chdir(source)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("ear")
        left_out = copy_folder(str(source), str(target))
    assert left_out == ["the socket 'ear'", "the named pipe 'pipe'"]
    assert sorted(os.listdir(target)) == ["inner", "state"]


def test_path_that_is_not_a_folder_is_rejected(source: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    for path in (source / "state", tmp_path / "link"):
        with pytest.raises(NotADirectoryError):
            copy_folder(str(path), str(target))
    assert not target.exists()


def _write(folder: Path, generation: int) -> None:
    new = folder / f"new-{generation}"
    new.mkdir()
    for shard in range(SHARDS):
        (new / f"{shard}").write_text(f"{generation}")
    new.rename(folder / f"{generation}")


def _forget(folder: Path, generation: int) -> None:
    for shard in (folder / f"{generation}").iterdir():
        shard.unlink()
    (folder / f"{generation}").rmdir()


@contextmanager
def _rotating(folder: Path) -> Iterator[None]:
    """Keep on writing generations of a checkpoint, and removing the one before."""
    is_over = threading.Event()
    _write(folder, 1)

    def rotate() -> None:
        generation = 1
        while not is_over.is_set():
            _write(folder, generation + 1)
            _forget(folder, generation)
            generation += 1

    thread = threading.Thread(target=rotate)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize("opened_at_once", [10_000, 3])
def test_a_checkpoint_that_is_rotated_meanwhile_is_copied_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened_at_once: int
) -> None:
    monkeypatch.setattr(snapshot, "_OPEN_AT_ONCE", opened_at_once)
    monkeypatch.setattr(snapshot, "ATTEMPTS", 1_000_000)
    source = tmp_path / "source"
    source.mkdir()
    with _rotating(source):
        for number in range(5):
            target = tmp_path / f"{number}"
            copy_folder(str(source), str(target))
            latest = max(int(name) for name in os.listdir(target) if name.isdecimal())
            shards = [path.read_text() for path in (target / f"{latest}").iterdir()]
            assert shards == [f"{latest}"] * SHARDS


def test_a_folder_that_never_stands_still_is_an_error_in_the_end(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = snapshot._entries

    def changing(folder: str) -> Iterator[object]:
        (source / "state").unlink()
        (source / "state").write_text("another")
        return entries(folder)

    monkeypatch.setattr(snapshot, "_entries", changing)
    with pytest.raises(OSError, match="changed each time that it was copied"):
        copy_folder(str(source), str(target))
    assert not target.exists()


def test_what_is_appended_meanwhile_is_not_copied(source: Path, target: Path) -> None:
    entry = snapshot._entry((source / "state").stat(), None)
    with (source / "state").open("a") as file:
        file.write(", and more")
    snapshot._copy_file(None, str(source / "state"), str(target), entry)
    assert target.read_text() == "one"
