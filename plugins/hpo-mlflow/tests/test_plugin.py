"""What hpo-mlflow does without MLflow: its options, its names, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hpo_mlflow.names import Names, cut, labels, text

from hpo_core import Float, InvalidInput, Study


def study(**options: Any) -> Study:
    return Study(
        function=lambda configuration: 0.0,
        parameters=[Float("x", 0.0, 1.0)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 1},
        backend="inline",
        observers=[{"name": "mlflow", "options": options}],
    )


@pytest.mark.parametrize(
    "address", ["http://ann:secret@host:5000", "https://token@host", "postgresql://a:b@host/runs"]
)
def test_an_address_with_credentials_is_refused_and_the_message_does_not_repeat_them(
    address: str,
) -> None:
    with pytest.raises(InvalidInput) as caught:
        study(tracking_uri=address)
    assert "observers[0].options.tracking_uri: holds credentials" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_password_is_no_option() -> None:
    with pytest.raises(InvalidInput, match=r"options\.password: unknown key"):
        study(password="secret")


def test_the_plugin_is_found_and_checked_without_mlflow() -> None:
    code = (
        "import sys, hpo_core.registry as r\n"
        "assert r.observer_options('mlflow', {}, 'x') [1] == []\n"
        "sys.exit('mlflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_names_that_mlflow_refuses_are_changed_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = Names()
    assert [names("loss"), names("top 5/acc"), names("acc%"), names("acc%")] == [
        "loss",
        "top 5/acc",
        "acc_",
        "acc_",
    ]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("value", "written"), [(0.01, "0.01"), (3, "3"), (True, "true"), ("a b", "a b"), (None, "null")]
)
def test_values_are_texts_of_their_type(value: object, written: str) -> None:
    assert text(value) == written


def test_a_long_text_is_cut_and_says_so() -> None:
    assert cut("a" * 10, 5) == "aaaa…"


def test_labels_are_tags_with_a_value() -> None:
    assert labels(["baseline", "team=vision", "=x"]) == {"baseline": "true", "team": "vision"}
