"""A job's record lists the columns that are read from the table ``job``, except for the study's."""

from __future__ import annotations

from hpo_core.store.records import JobRecord
from hpo_core.store.store import Store


def test_a_jobs_record_has_a_field_for_each_column() -> None:
    with Store() as store:
        rows = store.connection.execute("PRAGMA table_info(job)").fetchall()
    columns = [name for _, name, *_ in rows]
    fields = [name for name in JobRecord.__struct_fields__ if name != "seen"]
    assert columns == ["study", "trial", *fields[1:]]
