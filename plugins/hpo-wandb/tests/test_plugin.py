"""What hpo-wandb does without wandb: its options, and an API key that is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Float, InvalidInput, Study


def study(folder: Path, **options: Any) -> Study:
    return Study(
        function=lambda configuration: 0.0,
        parameters=[Float("x", 0.0, 1.0)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 1},
        backend="inline",
        directory=folder,
        store=folder / "hpo.db",
        observers=[{"name": "wandb", "options": options}],
    )


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_without_a_key_an_online_study_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        study(tmp_path).run(progress=False)
    assert "observer 'wandb'.mode: is online, but there is no API key for api.wandb.ai" in str(
        caught.value
    )
    assert not (tmp_path / "hpo.db").exists()


def test_a_key_is_no_option(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"options\.api_key: unknown key"):
        study(tmp_path, api_key="0123")


def test_the_key_of_wandb_login_counts(tmp_path: Path) -> None:
    code = "from hpo_wandb.login import require_login; require_login(None)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 1
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password 0123\n")
    (tmp_path / "netrc").chmod(0o600)
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_the_plugin_is_found_and_checked_without_wandb() -> None:
    code = (
        "import sys, hpo_core.registry as r\n"
        "assert r.observer_options('wandb', {'mode': 'offline'}, 'x')[1] == []\n"
        "sys.exit('wandb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
