"""Create the package of a new strategy or backend, for ``hpo new-strategy`` and ``new-backend``.

The templates are data files with ``$name``, ``$package`` and the versions of hpo-core.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

from hpo_core import __version__, registry
from hpo_core.model.errors import Fault, InvalidInput

LONGEST = 30
"""Maximum length of a name, which limits the length of the lines that contain it."""

_FILES = {
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "init.py.in": "$package/__init__.py",
    "options.py.in": "$package/options.py",
    "plugin.py.in": "$package/plugin.py",
    "strategy.py.in": "$package/strategy.py",
    "test_contract.py.in": "tests/test_contract.py",
    "ci.yml.in": ".github/workflows/ci.yml",
    "gitignore.in": ".gitignore",
}

_ASKTELL = ("README.md.in", "plugin.py.in", "strategy.py.in", "test_contract.py.in")
"""The files with separate templates for strategies based on `AskTell`, which have no options."""


_BACKEND = (
    "README.md.in",
    "backend.py.in",
    "options.py.in",
    "plugin.py.in",
    "test_contract.py.in",
)
"""The files with separate templates for backends."""

_THOROUGH = """
  contract:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install -e '.[test]'
      - run: hpo check NAME --thorough --badge contract.svg --json > contract.json
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: contract
          path: contract.*
"""
"""The job that runs the thorough kit, and keeps its report and its badge."""


def write(name: str, directory: Path, *, asktell: bool = False) -> list[Path]:
    """Create the package of a working strategy.

    Args:
        name: The strategy's config string; the package is named ``hpo-<name>``.
        directory: The parent of the new folder.
        asktell: Whether the strategy is based on `hpo_core.plugin.AskTell`.

    Returns:
        The created paths, the folder of the package first.

    Raises:
        InvalidInput: If the name is invalid or taken, or the folder cannot be created or is not
            empty.
    """
    own = dict.fromkeys(_ASKTELL, "asktell") if asktell else {}
    files = {
        place: f"{own.get(file, 'templates')}/{file}"
        for file, place in _FILES.items()
        if not (asktell and file == "options.py.in")
    }
    return _write(name, directory, "strategy", files, _THOROUGH.replace("NAME", name))


def write_backend(name: str, directory: Path) -> list[Path]:
    """Create the package of a working backend.

    Args:
        name: The backend's config string; the package is named ``hpo-<name>``.
        directory: The parent of the new folder.

    Returns:
        The created paths, the folder of the package first.

    Raises:
        InvalidInput: As `write`.
    """
    places = {**_FILES, "backend.py.in": "$package/backend.py"}
    del places["strategy.py.in"]
    files = {
        place: f"{'backend' if file in _BACKEND else 'templates'}/{file}"
        for file, place in places.items()
    }
    return _write(name, directory, "backend", files, "")


def _write(
    name: str, directory: Path, kind: str, files: Mapping[str, str], check: str
) -> list[Path]:
    """Write templates to their places in a package; return the paths, its folder first."""
    _check(name)
    folder = directory / f"hpo-{name}"
    filling = {
        "name": name,
        "package": f"hpo_{name.replace('-', '_')}",
        "kind": kind,
        "check": check,
        **_versions(),
    }

    def filled(text: str) -> str:
        return Template(text).substitute(filling)

    templates = resources.files(__name__)
    texts = {
        folder / filled(place): filled(templates.joinpath(file).read_text(encoding="utf-8"))
        for place, file in files.items()
    }
    texts[folder / filling["package"] / "py.typed"] = ""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidInput(
                [Fault(str(folder), "already exists; move it away, or give another --directory")]
            )
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        message = f"can't be written: {error.strerror}; give another --directory"
        raise InvalidInput([Fault(str(error.filename or folder), message)]) from error
    return [folder, *texts]


def _check(name: str) -> None:
    """Raise `InvalidInput` for an invalid or taken name."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        wrong = "use small letters, digits and dashes between them, a letter first: my-search"
    elif len(name) > LONGEST:
        wrong = f"is longer than {LONGEST} characters; choose a shorter one"
    elif name == "core":
        wrong = "the package would be hpo-core itself; choose another name"
    else:
        taken = [str(found) for found in registry.installed() if found.name == name]
        if not taken:
            return
        wrong = f"is taken by the installed plugin {taken[0]}; choose another, or uninstall that"
    raise InvalidInput([Fault(repr(name), wrong)])


def _versions() -> dict[str, str]:
    """Return the versions of hpo-core that the package requires: those of this minor version."""
    major, minor = map(int, __version__.split(".")[:2])
    return {"version": f"{major}.{minor}", "next_version": f"{major}.{minor + 1}"}
