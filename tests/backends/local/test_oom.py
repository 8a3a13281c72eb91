"""The count of processes that the system has killed because memory ran out."""

from hpo_core.backends.local.oom import OutOfMemoryKills


def test_each_process_that_the_system_has_killed_for_its_memory_counts_once(tmp_path):
    counters = tmp_path / "vmstat"
    counters.write_text("pgfault 12\noom_kill 3\n")
    kills = OutOfMemoryKills(counters)
    assert not kills.is_new()
    counters.write_text("pgfault 12\noom_kill 5\n")
    assert [kills.is_new() for _ in range(3)] == [True, True, False]
    assert not OutOfMemoryKills(tmp_path / "none").is_new()
