"""A study file as plain tables; the error for an unreadable file names the cause."""

import json
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


@pytest.mark.parametrize("name", ["study.yaml", "study.yml", "STUDY.YAML"])
def test_yaml_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    said = refusal(tmp_path, name, "name: x\nstrategy: random\n")
    assert said == "is YAML; a study's file is TOML or JSON (study.toml, study.json)"


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
