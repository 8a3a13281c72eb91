"""A study file as plain tables; the error for an unreadable file names the cause."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hpo_core import InvalidInput
from hpo_core.study_file import load

TABLE = {"name": "grün", "budget": {"jobs": 2}, "enqueue": [{"x": None}]}
TEXT = json.dumps(TABLE, ensure_ascii=False)


def read(folder: Path, name: str, content: str | bytes) -> dict[str, Any]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(str(path))


def refusal(folder: Path, name: str, content: str | bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(folder, name, content)
    (fault,) = caught.value.faults
    assert fault.path == str(folder / name)
    return fault.message


@pytest.mark.parametrize("name", ["study.json", "STUDY.JSON", "study.Json"])
def test_a_name_that_ends_with_json_is_json_in_any_case(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, name, TEXT) == TABLE


@pytest.mark.parametrize("name", ["study.toml", "STUDY.TOML", "study", "study.txt"])
def test_any_other_name_is_toml(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, name, 'name = "grün"\r\n[budget]\r\njobs = 2\r\n') == {
        "name": "grün",
        "budget": {"jobs": 2},
    }


YAML = """\
name: grün
strategy: random          # yes, no and on are texts in YAML 1.2
parameters:
  lr: { type: float, low: 1e-3, high: 1e3, log: true }
  layers: { type: int, low: 0o17, high: 020 }
  mode: { type: categorical, choices: [yes, no, on, ~, true, 1:30] }
enqueue: [&first { lr: .5 }, *first]
"""


@pytest.mark.parametrize("name", ["study.yaml", "study.yml", "STUDY.YAML"])
def test_yaml_is_that_of_version_1_2(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, name, YAML)
    assert table["parameters"] == {
        "lr": {"type": "float", "low": 0.001, "high": 1000.0, "log": True},
        "layers": {"type": "int", "low": 15, "high": 20},
        "mode": {"type": "categorical", "choices": ["yes", "no", "on", None, True, "1:30"]},
    }
    assert table["enqueue"] == [{"lr": 0.5}, {"lr": 0.5}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 'is not YAML 1.2: line 3, column 1: found duplicate key "a"'),
        ("a: {b: 1, b: 1}", "is not YAML 1.2: line 1, column 11: found duplicate key"),
        ("a: [1, 2", "is not YAML 1.2: line 1, column 9: expected ',' or ']'"),
        ("a: 1\n---\nb: 2", "is not YAML 1.2: line 2, column 1: but found another document"),
        ("a: !!python/object:os.system ls", "line 1, column 4: could not determine a constructor"),
        ("1: 2", "a key must be text, got 1; write it in quotes"),
        ("a: !!binary aGVsbG8=", "holds b'hello', which is neither a list, a table nor a plain"),
        ("- 1", "must hold a table"),
        ("a: &x [*x]", "holds more than 100,000 values; use fewer aliases"),
        (
            "a0: &a0 [1]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
            "holds more than 100,000 values; use fewer aliases",
        ),
    ],
)
def test_what_yaml_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, text: str, says: str
) -> None:
    assert says in refusal(tmp_path, "study.yaml", text)


def test_without_the_library_yaml_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    said = refusal(tmp_path, "study.yaml", "name: x\n")
    assert said.startswith(
        "is YAML, for which ruamel.yaml is missing: pip install 'hpo-core[yaml]'"
    )


@pytest.mark.parametrize("name", ["study.toml", "study.json"])
@pytest.mark.parametrize(
    ("encoding", "named"), [("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16")]
)
def test_a_byte_order_mark_is_named(tmp_path: Path, name: str, encoding: str, named: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    said = refusal(tmp_path, name, (mark + TEXT).encode(encoding))
    assert said == f"begins with a byte order mark (BOM) of {named}; save it as UTF-8 without one"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"budget": {"jobs": 2}, "name": "x", "budget": {"jobs": 5}}', "budget"),
        ('{"job": [{"a": 1, "a": 1}]}', "a"),
    ],
)
def test_a_key_that_is_there_twice_in_json_is_an_error(tmp_path: Path, text: str, key: str) -> None:
    said = refusal(tmp_path, "study.json", text)
    assert said == f"has the key {key!r} twice in one object; keep one of them"


@pytest.mark.parametrize("text", ["a = 1\na = 2", "[a]\n[a]", "a = {b = 1, b = 2}", "a = 1\n[a]"])
def test_duplicate_key_in_toml_is_reported(tmp_path: Path, text: str) -> None:
    said = refusal(tmp_path, "study.toml", text)
    assert said.startswith("is not TOML: a key or a table occurs twice; keep one of them")


def test_json_in_a_file_with_another_name_is_recognised(tmp_path: Path) -> None:
    assert "its name has to end with .json" in refusal(tmp_path, "study.toml", TEXT)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("study.json", "{", "is not JSON: "),
        ("study.json", '{"a": ' + "9" * 5000 + "}", "is not JSON: "),
        ("study.json", "[1]", "must hold a table"),
        ("study.json", "[" * 100_000, "is nested too deeply"),
        ("study.json", '{"a": ' + "[" * 40 + "]" * 40 + "}", "is nested too deeply"),
        ("study.toml", "a = ", "is not TOML: "),
        ("study.toml", b"a = '\xff'", "is not text in UTF-8: "),
    ],
)
def test_what_can_not_be_read_says_why(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    assert refusal(tmp_path, name, content).startswith(said)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read: No such file or directory"):
        load(str(tmp_path / "study.toml"))
