"""The commented text of a drafted study file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hpo_core.draft.argument import Argument
from hpo_core.draft.guess import Guess, guess, is_usual
from hpo_core.draft.metrics import DraftedMetrics, drafted_metrics
from hpo_core.draft.printed import Found
from hpo_core.draft.source import Source
from hpo_core.draft.strategies import usable_strategy
from hpo_core.draft.written import written
from hpo_core.model.templates import BUILTIN_PLACEHOLDERS
from hpo_core.model.text import printable
from hpo_core.toml_text import toml_text


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A drafted study file, and the questions to the user.

    Attributes:
        text: The text of the file.

        command: The command of the job.

        searched: The names of the parameters.

        objective: The metric of the objective.

        direction: ``minimize`` or ``maximize``.

        questions: The questions to the user.

    """

    text: str
    command: list[str]
    searched: list[str]
    objective: str
    direction: str
    questions: list[str]


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
        self.outputs: dict[str, str] = {}
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
            self.ask(f"{len(searched) - len(chosen)} more arguments {said}")
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
                    self.ask(f"max_iterations: how many does {argument.name} count?")
            case "output":
                self.outputs[argument.name] = place = _output(argument)
                self._give(argument, place)
            case _ if argument.is_required:
                self._give(argument, self._needed(argument))
            case _:
                self._leave(argument, guessed)

    def _search(self, argument: Argument, guessed: Guess) -> None:
        name = _name(argument.name, self.searched)
        self.searched.append(name)
        comment = "".join(f"# {line}\n" for line in _about(argument))
        if guessed.question:
            self.ask(f"{name}: {guessed.question}")
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
        self.ask(f"command: which {argument.name}{said}? It needs one; {value} stands there now")
        return _braces(value)

    def _leave(self, argument: Argument, guessed: Guess) -> None:
        if guessed.question:
            self.ask(f"{argument.name}: search it, too? {guessed.question}")
        given = argument.option or argument.name
        default = "" if argument.default is None else f" = {argument.default}"
        self.left.append(_line(f"{given}{default}")[:60])

    def ask(self, question: str) -> None:
        """Add a question to the user."""
        self.questions.append(_line(question))


def drafted(
    name: str,
    program: list[str],
    subcommand: str,
    arguments: list[Argument],
    found: Found,
    source: Source | None = None,
) -> Draft:
    """Return the draft of a study of a script.

    Args:
        name: The name of the study.

        program: The command that runs the script.
        subcommand: The subcommand that trains; ``""`` for none.
        arguments: The arguments of the script.
        found: The printed metrics of the script.
        source: The script, if it is Python.
    """
    writer = _Writer([*program], subcommand, arguments)
    metrics = drafted_metrics(found, written(source, writer.outputs) if source else None)
    if metrics.run_with and program[0] == "{python}":
        writer.command[1:1] = ["-m", metrics.run_with]
    strategy, question = usable_strategy()
    for each in (*metrics.questions, question):
        if each:
            writer.ask(each)
    return Draft(
        text="".join(_parts(name, strategy, writer, metrics)),
        command=writer.command,
        searched=writer.searched,
        objective=metrics.objective,
        direction=metrics.direction,
        questions=writer.questions,
    )


def _parts(name: str, strategy: str, writer: _Writer, metrics: DraftedMetrics) -> Iterator[str]:
    yield "# Drafted by `hpo init`: every range is a guess. Lines with ? are questions to you.\n"
    yield "# Then: hpo try FILE (one job), and: hpo run FILE\n"
    yield "".join(f"# ? {question}\n" for question in writer.questions)
    yield "\n" + toml_text({"name": name, "workers": 1, "strategy": strategy})
    yield "# with more workers, keep jobs from slowing each other down: in [job],\n"
    yield '# environment = { OMP_NUM_THREADS = "1" }\n'
    wanted = {"metric": metrics.objective, "direction": metrics.direction}
    yield "\n[objective]\n" + toml_text(wanted)
    if metrics.others:
        yield f"# {metrics.how}, too: {', '.join(map(_line, metrics.others))}\n"
    yield "\n[budget]\njobs = 20\n"
    yield "\n[job]\n" + toml_text({"command": writer.command})
    if writer.epochs is not None:
        yield toml_text({"max_iterations": writer.epochs})
    yield from metrics.in_job
    if writer.left:
        yield "# left at the script's own values:\n"
        yield from (f"#     {each}\n" for each in writer.left)
    yield from metrics.tables
    yield "\n[parameters]\n"
    if not writer.parameters:
        yield "# ? which parameters? None was found that is worth a search; for example:\n"
        yield '# lr = { type = "float", low = 1e-5, high = 1e-1, log = true }\n'
    yield "".join(writer.parameters)


def _about(argument: Argument) -> Iterator[str]:
    said = _line(argument.help)
    if said:
        yield said if len(said) <= 96 else f"{said[:95]}…"


def _output(argument: Argument) -> str:
    """Return a place in the folder of the trial, for an argument that names a file or folder."""
    default = str(argument.default or "").rstrip("/")
    file = re.search(r"[^/]*\.[A-Za-z]\w{0,5}$", default)
    return f"{{checkpoint_dir}}/{_braces(file[0])}" if file else "{checkpoint_dir}"


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
