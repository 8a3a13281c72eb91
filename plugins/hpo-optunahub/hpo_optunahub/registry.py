"""Code of the hub on this machine: fetched with git at a commit, or in a local checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hpo_core.plugin import Fault, HpoError, InvalidInput
from hpo_optunahub.options import Options

REPOSITORY = "https://github.com/optuna/optunahub-registry"


def folder_of(options: Options) -> Path:
    """Return the folder that holds the packages; nothing is fetched.

    Raises:
        InvalidInput: If the package is missing, or the checkout is at another commit.
    """
    if options.registry_root is None:
        assert options.commit is not None, "checked before"
        root = cache_of(options.commit)
        remedy = f"run `hpo optunahub fetch {options.package} --commit {options.commit}` first"
    else:
        root = Path(options.registry_root).expanduser()
        remedy = "give the folder `package` of a checkout of the registry"
    if not (root / options.package / "__init__.py").is_file():
        wrong = f"there is no package {options.package} in {root}; {remedy}"
        raise InvalidInput([Fault("package", wrong)])
    if options.registry_root is not None and options.commit is not None:
        _require_commit(root, options.commit)
    return root


def cache_of(commit: str) -> Path:
    """Return the folder of the packages that have been fetched at a commit."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "hpo-core" / "optunahub" / commit / "package"


def newest_commit(repository: str) -> str:
    """Return the commit of the registry's default branch. This contacts the repository.

    Raises:
        HpoError: If git fails.
    """
    return _git("ls-remote", "--", repository, "HEAD").split()[0]


def fetch(package: str, commit: str, repository: str) -> Path:
    """Fetch a package at a commit. A package that has been fetched before is left as it is.

    Returns:
        Its folder.

    Raises:
        HpoError: If git fails, or the registry has no such package.
    """
    place = cache_of(commit) / package
    if place.is_dir():
        return place
    with tempfile.TemporaryDirectory() as name:
        checkout = Path(name)
        _git("init", "--quiet", name)
        _git("-C", name, "sparse-checkout", "set", f"package/{package}")
        _git("-C", name, "fetch", "--quiet", "--depth=1", "--", repository, commit)
        _git("-C", name, "checkout", "--quiet", commit)
        source = checkout / "package" / package
        if not (source / "__init__.py").is_file():
            raise HpoError(f"{repository} has no package {package} at {commit}")
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=place.parent))
        shutil.copytree(source, partial, dirs_exist_ok=True)
        partial.rename(place)  # at once: a package is there whole, or not
    return place


def _require_commit(root: Path, commit: str) -> None:
    """Raise `InvalidInput` if a checkout is at another commit, or has changes."""
    found = _git("-C", str(root), "rev-parse", "HEAD").strip()
    if found != commit:
        wrong = f"{root} is at {found}; run `git checkout {commit}` there"
        raise InvalidInput([Fault("commit", wrong)])
    if _git("-C", str(root), "status", "--porcelain").strip():
        wrong = f"{root} has changes that are not committed; commit or undo them"
        raise InvalidInput([Fault("commit", wrong)])


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise HpoError("git is missing; install it") from None
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split()) or f"exit status {error.returncode}"
        raise HpoError(f"git {' '.join(arguments)} failed: {said}") from None
    return done.stdout
