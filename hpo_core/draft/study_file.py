"""The commented text of a drafted study file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hpo_core.draft.argument import Argument
from hpo_core.draft.guess import Guess, guess, is_usual
from hpo_core.draft.printed import NUMBER, Found
from hpo_core.model.templates import BUILTIN_PLACEHOLDERS
from hpo_core.model.text import printable
from hpo_core.toml_text import toml_text


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A drafted study file, and the questions to the user.

    Attributes:
        text: The text of the file.

        command: The command of the job.

        searched: The names of the parameters.

        questions: The questions to the user.

    """

    text: str
    command: list[str]
    searched: list[str]
    questions: list[str]


_UNKNOWN_METRIC = (
    "what is the metric called, and how is it printed? Nothing was found in the script"
)


_MANY = 12
"""Maximum number of parameters to search: a search in more needs many trials."""


class _Writer:
    """Collects the parts of the file."""

    def __init__(self, program: list[str], subcommand: str, arguments: list[Argument]) -> None:
        self.command = [*program, *([subcommand] if subcommand else [])]
        self.parameters: list[str] = []
        self.searched: list[str] = []
        self.left: list[str] = []
        self.questions: list[str] = []
        self.epochs: int | None = None
        self._positional: list[str] = []
        guessed = [(argument, guess(argument)) for argument in arguments]
        searched = [argument for argument, each in guessed if each.role == "searched"]
        usual = [argument for argument in searched if is_usual(argument)]
        chosen = searched if len(searched) <= _MANY else usual[:_MANY]
        for argument, each in guessed:
            is_one_too_many = each.role == "searched" and argument not in chosen
            self._add(argument, Guess("left", {}) if is_one_too_many else each)
        if len(chosen) < len(searched):
            said = "are left out, to keep the search small; which of them matter?"
            self._ask(f"{len(searched) - len(chosen)} more arguments {said}")
        self.command += self._positional

    def _add(self, argument: Argument, guessed: Guess) -> None:
        match guessed.role:
            case "searched":
                self._search(argument, guessed)
            case "epochs" if self.epochs is None:
                is_whole = isinstance(argument.default, int | float) and argument.default >= 1
                self.epochs = int(argument.default) if is_whole else 10
                self._give(argument, "{iterations}")
                if not is_whole:
                    self._ask(f"max_iterations: how many does {argument.name} count?")
            case "output":
                self._give(argument, "{checkpoint_dir}")
            case _ if argument.is_required:
                self._give(argument, self._needed(argument))
            case _:
                self._leave(argument, guessed)

    def _search(self, argument: Argument, guessed: Guess) -> None:
        name = _name(argument.name, self.searched)
        self.searched.append(name)
        comment = "".join(f"# {line}\n" for line in _about(argument))
        if guessed.question:
            self._ask(f"{name}: {guessed.question}")
            comment += f"# ? {guessed.question}\n"
        self.parameters.append(comment + toml_text({name: guessed.table}))
        if argument.kind == "flag":
            on, off = argument.flag
            self.command.append(f"{{{name}?{_braces(on)}:{_braces(off)}}}")
        else:
            self._give(argument, f"{{{name}}}")

    def _give(self, argument: Argument, value: str) -> None:
        if not argument.option:
            self._positional.append(value)
        elif argument.joined:
            self.command.append(f"{argument.option}={value}")
        else:
            self.command += [argument.option, value]

    def _needed(self, argument: Argument) -> str:
        """Return a value for a required argument."""
        value = str(argument.choices[0]) if argument.choices else ""
        if argument.default is not None and not isinstance(argument.default, list):
            value = str(argument.default)
        if not value:
            value = {"int": "1", "float": "1.0", "flag": "true"}.get(
                argument.kind, argument.name.upper()
            )
        said = f" ({argument.help.strip()})" if argument.help else ""
        self._ask(f"command: which {argument.name}{said}? It needs one; {value} stands there now")
        return _braces(value)

    def _leave(self, argument: Argument, guessed: Guess) -> None:
        if guessed.question:
            self._ask(f"{argument.name}: search it, too? {guessed.question}")
        given = argument.option or argument.name
        default = "" if argument.default is None else f" = {argument.default}"
        self.left.append(_line(f"{given}{default}")[:60])

    def _ask(self, question: str) -> None:
        self.questions.append(_line(question))

    def ask_for_the_metric(self) -> None:
        """Ask for the metric, since none was found."""
        self._ask(f"job.metrics: {_UNKNOWN_METRIC}")


def drafted(
    name: str, program: list[str], subcommand: str, arguments: list[Argument], found: Found
) -> Draft:
    """Return the draft of a study of a script.

    Args:
        name: The name of the study.

        program: The command that runs the script.
        subcommand: The subcommand that trains; ``""`` for none.
        arguments: The arguments of the script.
        found: The printed metrics of the script.
    """
    writer = _Writer([*program], subcommand, arguments)
    if not found.metrics:
        writer.ask_for_the_metric()
    text = "".join(_parts(name, writer, found))
    return Draft(
        text=text, command=writer.command, searched=writer.searched, questions=writer.questions
    )


def _parts(name: str, writer: _Writer, found: Found) -> Iterator[str]:
    objective = found.metrics[0] if found.metrics else None
    metric = objective.name if objective else "loss"
    direction = "minimize" if objective is None or objective.is_minimized else "maximize"
    yield "# Drafted by `hpo init`: every range is a guess. Lines with ? are questions to you.\n"
    yield "# Then: hpo try FILE (one job), and: hpo run FILE\n"
    yield "".join(f"# ? {question}\n" for question in writer.questions)
    yield "\n" + toml_text({"name": name, "workers": 1, "strategy": "random"})
    yield "\n[objective]\n" + toml_text({"metric": metric, "direction": direction})
    others = [each.name for each in found.metrics[1:6]]
    if others:
        yield f"# printed, too: {', '.join(others)}\n"
    yield "\n[budget]\njobs = 20\n"
    yield "\n[job]\n" + toml_text({"command": writer.command})
    if writer.epochs is not None:
        yield toml_text({"max_iterations": writer.epochs})
    if found.iteration is not None:
        yield toml_text({"iteration": found.iteration})
    if writer.left:
        yield "# left at the script's own values:\n"
        yield from (f"#     {each}\n" for each in writer.left)
    yield "\n[job.metrics]\n"
    if objective is None:
        yield f"# ? {_UNKNOWN_METRIC}\n"
        yield toml_text({metric: rf"loss[=:\s]+{NUMBER}"})
    else:
        yield f"# printed as: {_line(objective.line)}\n" + toml_text({metric: objective.pattern})
    yield "\n[parameters]\n"
    if not writer.parameters:
        yield "# ? which parameters? None was found that is worth a search; for example:\n"
        yield '# lr = { type = "float", low = 1e-5, high = 1e-1, log = true }\n'
    yield "".join(writer.parameters)


def _about(argument: Argument) -> Iterator[str]:
    said = _line(argument.help)
    if said:
        yield said if len(said) <= 96 else f"{said[:95]}…"


def _line(text: str) -> str:
    """Return a text as a single line, for a comment."""
    return printable(" ".join(text.split()))


def _name(name: str, taken: list[str]) -> str:
    """Return a valid name for a placeholder that no other parameter has."""
    plain = re.sub(r"\W", "_", name) or "parameter"
    while plain in taken or plain in BUILTIN_PLACEHOLDERS:
        plain += "_"
    return plain


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def as_json(draft: Draft) -> Mapping[str, Any]:
    """Return a draft as plain data."""
    builtins: Mapping[str, Any] = msgspec.to_builtins(draft)
    return builtins
