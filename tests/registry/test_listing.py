"""Plugins that crash, hang or print are listed like the others."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from plugged import GOOD, Publish, described

from hpo_core import (
    registry,
)
from hpo_core.plugin import (
    BrokenPlugin,
)


def test_plugin_that_hangs_on_import_blocks_nothing(publish: Publish) -> None:
    publish("hangs", "import threading; threading.Event().wait()")
    publish("count", GOOD)
    found = {one.plugin.name: one for one in registry.describe(patience=3)}
    assert found["hangs"].failure == "takes longer than 3 s to import"
    assert found["count"].failure is None


def test_a_plugin_that_crashes_the_interpreter_is_listed_with_how_it_ended(
    publish: Publish,
) -> None:
    publish("crashes", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    publish("quits", "import os; os.write(2, b'no licence'); os._exit(3)")
    assert described("crashes").failure == "ends the interpreter that imports it (signal 9)"
    assert described("quits").failure == (
        "ends the interpreter that imports it (exit status 3): no licence"
    )


def test_plugin_that_writes_to_descriptors_of_others_is_listed_with_what_it_did(
    publish: Publish,
) -> None:
    publish(
        "scribbles",
        """
        import os
        for number in range(3, 64):
            try:
                os.write(number, b"not JSON\\n")
            except OSError:
                pass
        """,
    )
    publish("count", GOOD)
    assert described("scribbles").failure == "writes to file descriptors that it has not opened"
    assert described("count").failure is None


def test_what_a_plugin_prints_is_told_and_kept_apart(
    publish: Publish, capfd: pytest.CaptureFixture[str]
) -> None:
    publish("chatty", "import os; print('hello'); os.write(1, b'there')\n" + textwrap.dedent(GOOD))
    found = described("chatty")
    assert found.failure is None
    assert {"hello", "there"} == set(found.printed.replace("there", " there ").split())
    assert capfd.readouterr() == ("", "")


def test_a_plugin_that_prints_when_it_is_used_leaves_standard_output_alone(
    publish: Publish, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    publish("chatty", "print('hello')\n" + textwrap.dedent(GOOD))
    assert registry.strategy("chatty").spec.name == "chatty"
    assert capfd.readouterr().out == ""
    assert "the plugin chatty (hpo-chatty 1.0) printed while it was loaded: hello" in caplog.text


def test_ctrl_c_while_a_plugin_is_imported_is_ctrl_c(publish: Publish) -> None:
    publish("pressed", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        registry.strategy("pressed")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module", "No module named 'no_such_module'"),
        ("MODULE:no_such_name", "no_such_name"),
        ("two words", "fails to import"),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_an_error_with_its_reason(
    publish: Publish, value: str, reason: str
) -> None:
    publish("astray", GOOD, entries=f"[hpo_core]\nastray = {value}\n")
    publish("count", GOOD)
    with pytest.raises(BrokenPlugin, match=reason):
        registry.strategy("astray")
    assert reason in str(described("astray").failure)
    assert registry.strategy("count").spec.name == "count"


@pytest.mark.parametrize("content", [b"[hpo_core]\nno value\n", b"[hpo_core]\n\xff = \xfe\n"])
def test_unreadable_entry_points_are_ignored(
    publish: Publish, tmp_path: Path, content: bytes
) -> None:
    publish("count", GOOD)
    publish("torn", GOOD)
    (tmp_path / "hpo-torn-1.0" / "hpo_torn-1.0.dist-info" / "entry_points.txt").write_bytes(content)
    assert registry.strategy("count").spec.name == "count"
    assert "hpo-torn 1.0 can't be read" in str(described("hpo-torn").failure)


def test_entry_points_of_others_that_cannot_be_read_are_not_shown(publish: Publish) -> None:
    publish("other", GOOD, entries="[console_scripts]\nno value\n")
    assert "hpo-other" not in [found.plugin.name for found in registry.describe()]
