"""What a controller knows of one job elsewhere."""

from __future__ import annotations

from typing import Any

from hpo_core.backends.remote.records import Record, read
from hpo_core.backends.remote.spool import SpoolReader
from hpo_core.backends.remote.wire import SignedConnection
from hpo_core.contracts.backend import Finished
from hpo_core.model.job import Job


class RemoteJob:
    """A job that an engine was given, or is about to be given.

    Args:
        job: The job.
        spool: The file with its records; ``""`` if the controller cannot read it.
        have: Number of records that are known already.

    Attributes:
        job: The job.
        handle: With what the engine finds it again; None if it has none, or not yet.
        connection: The connection to its agent, if there is one.
        have: Number of its records that were handled.
        answered: Number of its records that its agent knows to be handled.
        cancelled: Whether the study ends it.
        grace: Seconds until a cancelled job is to be killed.
        is_launched: Whether the engine was given it.
        has_started: Whether its process has started.
        end: What the engine says of its end, while its agent may still say more.
        unsure: What its agent says of its end, until the engine confirms it.
    """

    def __init__(self, job: Job, spool: str, have: int = 0) -> None:
        self.job = job
        self.handle: Any = job.handle
        self.connection: SignedConnection | None = None
        self.have = self.answered = have
        self.cancelled = False
        self.grace = 0.0
        self.is_launched = False
        self.has_started = have > 0
        self.end: Finished | None = None
        self.unsure: Finished | None = None
        self._spool = SpoolReader(spool) if spool else None

    @property
    def id(self) -> str:
        """The job's id."""
        return self.job.id

    def connected(self, connection: SignedConnection) -> None:
        """Use a new connection to its agent, and say what is known already."""
        self.connection = connection
        if self.cancelled:  # first: what follows would let the job go on
            connection.send("cancel", self.grace)
        connection.send("have", self.have)
        connection.send("go", self.answered)

    def answer(self) -> None:
        """Tell its agent that all records so far are handled."""
        if self.answered < self.have and self.connection is not None:
            self.connection.send("go", self.have)
            self.answered = self.have

    def received(self, index: int, content: Any) -> Record | None:
        """Return a record that its agent has sent; None if it was received before.

        Raises:
            ValueError: If it is no record, or one is missing before it.
        """
        if index < self.have:
            return None
        if index > self.have:
            raise ValueError(f"record {index} came where {self.have} was expected")
        record = read(content)
        self.have += 1
        return record

    def spooled(self) -> list[Record]:
        """Return the records in its spool that are new.

        Raises:
            ValueError: If the spool is damaged.
        """
        if self._spool is None:
            return []
        new = self._spool.read()[self.have :]
        self.have += len(new)
        return new

    def has_ended_in_spool(self) -> bool:
        """Return whether its spool has its end."""
        if self._spool is None:
            return False
        self._spool.read()
        return self._spool.has_ended

    def lives(self) -> bool:
        """Return whether its agent holds its spool."""
        return self._spool is not None and self._spool.is_locked()
