"""Which studies are run without confirmation: those that this user has started or trusted.

A store may come from anybody. Reading it is harmless; running it executes what it names: a command,
a function, the program of a strategy. Studies of this user have a mark: an HMAC of everything that
would be run and where, with a key in the user's home. Nobody else can create a mark, and a mark
copied to a study that would run something else is invalid.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.config import StudyConfig
from hpo_core.model.errors import StoreError
from hpo_core.model.placeholders import values_of
from hpo_core.model.text import printable
from hpo_core.store.database import MEMORY
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store

_log = logging.getLogger("hpo_core")

_KEPT = 16
"""Maximum number of marks of a study, which a team may share."""

_LENGTH = 32  # size of a key in bytes

_SHOWN = 500  # maximum number of characters shown of a parameter's texts

_NO_LINK_NOR_PIPE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _KeyError(Exception):
    """The key cannot be used; the message gives the reason."""


def mark(store: Store, study: StudyRecord, config: StudyConfig) -> None:
    """Mark a stored study as started or trusted by this user.

    Args:
        store: The store.
        study: The study.
        config: The configuration that the user has given or has been shown. It is not read from the
            store again, where somebody else may have changed it.
    """
    if store.path == MEMORY:
        return
    try:
        own = _mark(_key(create=True), _content(config))
    except _KeyError as error:
        _log.warning(
            "%s: hpo-core can't mark the study %r as yours; hpo resume will ask for --trust",
            error,
            study.name,
        )
        return
    marks = store.study(study.name).marks.split()
    if own not in marks:
        store.set_marks(study.id, " ".join([*marks, own][-_KEPT:]))


def require(store: Store, study: StudyRecord, config: StudyConfig, *, trust: bool) -> None:
    """Check that a stored study may be run.

    Args:
        store: The store.
        study: The study.
        config: Its stored configuration.
        trust: Whether the user trusts it; if so, it is marked.

    Raises:
        StoreError: If it is not this user's and not trusted. The message says what would be run.
    """
    if store.path == MEMORY:  # created by this process
        return
    why = why_foreign(study, config)
    if why is None:
        return
    if trust:
        mark(store, study, config)
        return
    what = "\n".join(f"  {printable(line)}" for line in _would_run(config))
    raise StoreError(
        f"you have neither started nor trusted the study {study.name!r} of the store {store.path} "
        f"({why}). Continuing runs as you:\n{what}\n"
        "if you trust that, add --trust (hpo resume has it; in Python: trust=True); to look at it "
        "takes no trust"
    )


def why_foreign(study: StudyRecord, config: StudyConfig) -> str | None:
    """Return why a study does not count as started or trusted by this user, or None.

    Args:
        study: The study.
        config: Its stored configuration.
    """
    try:
        key = _key(create=False)
    except _KeyError as error:
        return str(error)
    for content in (_content(config), _earlier_content(config)):
        own = _mark(key, content).encode()
        if any(hmac.compare_digest(own, one.encode()) for one in study.marks.split()):
            return None
    return "it carries no mark of your key"


def _would_run(config: StudyConfig) -> Iterator[str]:
    job = config.job
    if job.command is not None:
        yield f"the command {json.dumps(job.command)}"
    elif job.function is not None:
        yield f"the function {json.dumps(job.function)}"
    else:
        yield f"the work {json.dumps(msgspec.to_builtins(job.work))}"
    yield f"in the folder {job.directory}"
    if job.environment:
        yield f"with the variables {json.dumps(job.environment)}"
    for axis in config.space.parameters:  # a text may be a program: `sh -c {x}`
        values = chain.from_iterable(values_of([axis]).values())
        if texts := [value for value in values if isinstance(value, str)]:
            yield f"with the parameter {axis.name}: {_cut(', '.join(map(json.dumps, texts)))}"
    for role, choice in (("strategy", config.strategy), ("backend", config.backend)):
        options = f" with the options {json.dumps(choice.options)}" if choice.options else ""
        yield f"the {role} {choice.name!r}{options}"
    if job.checkpoints is not None:
        yield f"checkpoints kept at {job.checkpoints}"
    if job.metrics_reader is not None:
        yield f"the reader {json.dumps(msgspec.to_builtins(job.metrics_reader))}"
    for observer in config.observers:
        plain = msgspec.to_builtins(observer)
        is_function = isinstance(plain, str) and registry.is_callback(plain)
        yield f"the {'function' if is_function else 'observer'} {json.dumps(plain)} for its events"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… (all of it: hpo show)"


def _mark(key: bytes, content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True).encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _content(config: StudyConfig) -> dict[str, Any]:
    """Return what is marked: all that would be run, and where.

    Fields that have their default are left out, so that one that a later version adds leaves every
    mark as it is. That takes defaults which never change.
    """
    study, job = _essence(config), _essence(config.job)
    run = {key: job[key] for key in _OF_JOB if key in job}
    return {"job": run, **{key: study[key] for key in _OF_STUDY if key in study}}


_OF_JOB = (
    "command", "function", "work", "directory", "environment", "metrics_reader", "checkpoints",
)  # fmt: skip
_OF_STUDY = ("space", "strategy", "backend", "observers")


def _essence(value: Any) -> Any:
    """Return a value as plain data, without the fields of structs that have their default."""
    match value:
        case msgspec.Struct():
            fields = {
                field.encode_name: _essence(given)
                for field in msgspec.structs.fields(value)
                if (given := getattr(value, field.name)) != _default(field)
            }
            return {"": value.__struct_config__.tag, **fields}
        case Mapping():
            return {key: _essence(each) for key, each in value.items()}
        case list() | tuple():
            return [_essence(each) for each in value]
        case _:
            return msgspec.to_builtins(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _earlier_content(config: StudyConfig) -> dict[str, Any]:
    """Return what was marked before: with all fields, whatever they have."""
    job = config.job
    content: dict[str, Any] = {
        "command": job.command,
        "function": job.function,
        "directory": job.directory,
        "environment": job.environment,
        "parameters": msgspec.to_builtins(config.space),
        "strategy": msgspec.to_builtins(config.strategy),
        "backend": msgspec.to_builtins(config.backend),
        "observers": msgspec.to_builtins(config.observers),
    }
    if job.metrics_reader is not None:
        content["metrics_reader"] = msgspec.to_builtins(job.metrics_reader)
    if job.work is not None:
        content["work"] = msgspec.to_builtins(job.work)
    return content


# -- the key --------------------------------------------------------------------------------------


def _path() -> Path:
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    home = Path(configured) if os.path.isabs(configured) else Path.home() / ".config"
    return home / "hpo" / "key"


def _key(*, create: bool) -> bytes:
    """Return the user's key.

    Raises:
        _KeyError: If there is none, or others may know it.
    """
    try:
        path = _path()
    except RuntimeError as error:
        raise _KeyError(f"there is no home to keep your key in ({error})") from error
    try:
        if create and not path.exists():
            _make(path)
        with open(os.open(path, _NO_LINK_NOR_PIPE), "rb") as file:
            status = os.fstat(file.fileno())
            key = file.read(_LENGTH + 1) if stat.S_ISREG(status.st_mode) else b""
    except FileNotFoundError:
        raise _KeyError(f"you have no key {path} yet") from None
    except OSError as error:
        raise _KeyError(f"the key {path} can't be used ({error})") from error
    if status.st_uid != os.getuid():
        raise _KeyError(f"the key {path} belongs to another user ({status.st_uid})")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise _KeyError(f"the key {path} is open to other users (chmod 600 {path})")
    if len(key) != _LENGTH:
        raise _KeyError(f"the key {path} is damaged (delete it)")
    return key


def _make(path: Path) -> None:
    """Create the key atomically, and only once if several processes do so."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".key-{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_LENGTH))
        with suppress(FileExistsError):
            os.link(new, path)
    finally:
        os.unlink(new)
