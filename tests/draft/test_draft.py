"""The drafts of `hpo init` for scripts, which it reads and does not run."""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpo_core import InvalidInput
from hpo_core.config_file import parse
from hpo_core.draft.by_help import in_help
from hpo_core.draft.draft import draft

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Drafts the study of a script, and returns the file's tables, which make a whole study."""

    def drafted(text: str, **modules: str) -> dict[str, Any]:
        for name, content in modules.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(content))
        (tmp_path / "fit.py").write_text(textwrap.dedent(text))
        tables = tomllib.loads(draft(tmp_path / "fit.py", tmp_path).text)
        _, faults = parse(tables, tmp_path)
        assert faults == []
        return tables

    return drafted


ARGPARSE = """
    import argparse
    RATE = 1e-3
    def main():
        raise SystemExit("it is not run")
        parser = argparse.ArgumentParser()
        parser.add_argument("data", help="where the data is")
        parser.add_argument("-b", "--batch-size", type=int, default=2 ** 6)
        parser.add_argument("--lr", type=float, default=RATE, help="learning\\n rate \\x1b[0m")
        parser.add_argument("--optimizer", choices=["sgd", "adam"], default="adam")
        parser.add_argument("--nesterov", action="store_true")
        parser.add_argument("--epochs", type=int, default=5)
        parser.add_argument("--output-dir", default="out")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", choices=["cpu", "cuda"])
        for epoch in range(3):
            print(f"Epoch {epoch}/3 | train loss: {a:.4f} | val_loss: {b:.4f} val_acc: {c}")
    main()
"""


def test_arguments_of_argparse_become_parameters_with_the_script_s_own_defaults(
    read: Read,
) -> None:
    tables = read(ARGPARSE)
    assert tables["job"]["command"] == [
        "{python}", "fit.py", "--batch-size", "{batch_size}", "--lr", "{lr}", "--optimizer",
        "{optimizer}", "{nesterov?--nesterov:}", "--epochs", "{iterations}", "--output-dir",
        "{checkpoint_dir}", "DATA",
    ]  # fmt: skip
    assert tables["job"]["max_iterations"] == 5
    assert tables["parameters"] == {
        "batch_size": {"type": "int", "low": 16, "high": 256, "log": True, "default": 64},
        "lr": {"type": "float", "low": 3e-5, "high": 0.03, "log": True, "default": 1e-3},
        "optimizer": {"type": "categorical", "choices": ["sgd", "adam"], "default": "adam"},
        "nesterov": {"type": "categorical", "choices": [True, False], "default": False},
    }


def test_the_metric_on_held_out_data_is_the_objective(read: Read) -> None:
    tables = read(ARGPARSE)
    assert tables["objective"] == {"metric": "val_loss", "direction": "minimize"}
    assert tables["job"]["iteration"] == r"(?<!\w)Epoch\s*(\d+)"
    assert list(tables["job"]["metrics"]) == ["val_loss"]


def test_what_was_not_guessed_is_a_question_in_a_comment(read: Read, tmp_path: Path) -> None:
    read(ARGPARSE)
    made = draft(tmp_path / "fit.py", tmp_path)
    question = "command: which data (where the data is)? It needs one; DATA stands there now"
    assert made.questions == [question]
    assert f"# ? {question}\n" in made.text
    assert "#     --seed = 0\n" in made.text


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (
            """
            import click
            @click.group()
            def cli(): ...
            @cli.command()
            @click.option("--lr", "-l", default=0.1)
            @click.option("--fast/--slow", default=True)
            @click.option("--dropout", type=click.FloatRange(0, 0.5), default=0.1)
            @click.argument("data")
            def train(lr, fast, dropout, data): print("loss: %.3f" % lr)
            """,
            "train --lr {lr} --dropout {dropout} DATA",
        ),
        (
            """
            import typer
            from typing import Annotated
            app = typer.Typer()
            @app.command()
            def main(data: str, learning_rate: Annotated[float, typer.Option(min=1e-4)] = 1e-3,
                     hidden_size: int = typer.Option(64, "--hidden"), quiet: bool = False):
                typer.echo(f"loss: {learning_rate}")
            """,
            "--learning-rate {learning_rate} --hidden {hidden_size} DATA",
        ),
        (
            """
            import fire
            def train(data, lr=0.1, num_layers: int = 2, **rest):
                print("loss: {:.3f}".format(lr))
            fire.Fire(train)
            """,
            "--data=DATA --lr={lr} --num_layers={num_layers}",
        ),
        (
            """
            import dataclasses, tyro
            from typing import Literal
            @dataclasses.dataclass
            class Optimizer:
                lr: float = 3e-4
                nesterov: bool = False
            @dataclasses.dataclass
            class Args:
                optimizer: Optimizer
                activation: Literal["relu", "tanh"] = "relu"
                num_epochs: int = 3
            args = tyro.cli(Args)
            print("loss:", args.lr)
            """,
            "--optimizer.lr {optimizer_lr} "
            "{optimizer_nesterov?--optimizer.nesterov:--optimizer.no-nesterov} "
            "--activation {activation} --num-epochs {iterations}",
        ),
        (
            """
            from jsonargparse import CLI
            def fit(lr: float = 0.1, bias: bool = True): print("loss", lr)
            CLI(fit)
            """,
            "--lr {lr} {bias?--bias=true:--bias=false}",
        ),
        (
            """
            from absl import app, flags
            flags.DEFINE_float("learning_rate", 0.001, "Learning rate.", lower_bound=1e-4)
            flags.DEFINE_enum("activation", "relu", ["relu", "gelu"], "")
            flags.DEFINE_string("data", None, "")
            flags.mark_flag_as_required("data")
            app.run(lambda _: print("loss=%f" % 1))
            """,
            "--learning_rate={learning_rate} --activation={activation} --data=DATA",
        ),
        (
            """
            from dataclasses import dataclass, field
            import transformers
            @dataclass
            class ModelArguments:
                name: str = field(default="tiny", metadata={"help": "which model"})
            parser = transformers.HfArgumentParser((ModelArguments, transformers.TrainingArguments))
            transformers.Trainer().train()
            """,
            "--output_dir {checkpoint_dir} --learning_rate {learning_rate} --weight_decay "
            "{weight_decay} --num_train_epochs {iterations}",
        ),
    ],
)  # fmt: skip
def test_each_library_is_read(read: Read, text: str, command: str) -> None:
    assert " ".join(read(text)["job"]["command"]) == f"{{python}} fit.py {command}"


def test_arguments_may_be_declared_in_a_module_beside_the_script(read: Read) -> None:
    options = "import argparse\nparser = argparse.ArgumentParser()\n" + (
        "parser.add_argument('--lr', type=float, default=0.1)\n"
    )
    tables = read("import options\nprint('loss:', 1.0, flush=True)", options=options)
    assert list(tables["parameters"]) == ["lr"]


def test_the_subcommand_that_trains_is_taken(read: Read) -> None:
    tables = read(
        """
        import argparse
        commands = argparse.ArgumentParser().add_subparsers()
        test = commands.add_parser("test")
        test.add_argument("--alpha", type=float, default=0.3)
        train = commands.add_parser("train")
        train.add_argument("--lr", type=float, default=0.1)
        """
    )
    assert tables["job"]["command"][2:] == ["train", "--lr", "{lr}"]


def test_of_many_arguments_the_usual_ones_are_searched(read: Read, tmp_path: Path) -> None:
    names = [f"knob{number}" for number in range(30)] + ["lr", "momentum"]
    options = "".join(f"p.add_argument('--{name}', type=float, default=0.3)\n" for name in names)
    tables = read(f"import argparse\np = argparse.ArgumentParser()\n{options}")
    assert list(tables["parameters"]) == ["lr", "momentum"]


def test_keras_prints_by_itself(read: Read) -> None:
    tables = read(
        """
        import argparse, keras
        argparse.ArgumentParser().add_argument("--lr", type=float, default=0.1)
        keras.Sequential().fit(x, y, validation_split=0.1)
        """
    )
    assert tables["objective"]["metric"] == "val_loss"
    assert tables["job"]["iteration"] == r"Epoch (\d+)/\d+"


ARGUMENTS = """
    import argparse, csv, json, os
    from pathlib import Path
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--out", default="results")
    args = parser.parse_args()
"""


@pytest.mark.parametrize(
    ("text", "job"),
    [
        (
            """
            FIELDS = ["epoch", "train_loss", "val_acc"]
            with open(os.path.join(args.out, "log.csv"), "w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=FIELDS)
                file.flush()
            """,
            {"metrics_file": "{checkpoint_dir}/log.csv", "iteration": "epoch"},
        ),
        (
            """
            out = Path(args.out)
            with (out / "logs" / "log.csv").open("w") as file:
                csv.writer(file).writerow(["step", "loss", "accuracy"])
            """,
            {"metrics_file": "{checkpoint_dir}/logs/log.csv", "iteration": "step"},
        ),
        (
            """
            with open(f"{args.out}/log.jsonl", "a") as file:
                file.write(json.dumps({"epoch": epoch, "val_loss": loss}) + "\\n")
            """,
            {"metrics_file": "{checkpoint_dir}/log.jsonl", "iteration": "epoch"},
        ),
        (
            """
            file = open(f"run-{os.getpid()}/log.csv", "w")
            file.write("rmse,time\\n")
            """,
            {"metrics_file": "log.csv"},
        ),
    ],
)
def test_columns_that_a_script_writes_are_its_metrics(
    read: Read, text: str, job: dict[str, str]
) -> None:
    tables = read(textwrap.dedent(ARGUMENTS) + textwrap.dedent(text))
    assert {key: tables["job"].get(key) for key in job} == job
    assert "metrics" not in tables["job"]
    name = tables["objective"]["metric"]
    assert name in ("val_acc", "loss", "val_loss", "rmse")
    assert tables["objective"]["direction"] == ("maximize" if name == "val_acc" else "minimize")
    assert ("hpo_core.flush" in tables["job"]["command"]) == (name in ("loss", "rmse"))


def test_an_argument_that_names_the_file_keeps_its_name(read: Read) -> None:
    tables = read(
        """
        import argparse, pandas
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=0.1)
        parser.add_argument("--history", default="out/history.csv")
        args = parser.parse_args()
        rows = [{"epoch": 1, "test_error": 0.5}]
        pandas.DataFrame(rows).to_csv(args.history)
        """
    )
    assert tables["job"]["metrics_file"] == "{checkpoint_dir}/history.csv"
    assert tables["job"]["command"][-2:] == ["--history", "{checkpoint_dir}/history.csv"]
    assert tables["objective"] == {"metric": "test_error", "direction": "minimize"}


def test_scalars_for_tensorboard_are_metrics(read: Read) -> None:
    tables = read(
        textwrap.dedent(ARGUMENTS)
        + textwrap.dedent(
            """
            from torch.utils.tensorboard import SummaryWriter
            name = f"{time.time()}"
            writer = SummaryWriter(os.path.join(args.out, name))
            writer.add_scalar("learning_rate", lr, epoch)
            writer.add_scalar("train/loss", 1, epoch)
            writer.add_scalar("test/accuracy", 1, epoch)
            print(f"loss: {loss}")
            """
        )
    )
    assert tables["objective"] == {"metric": "test/accuracy", "direction": "maximize"}
    reader = tables["job"]["metrics_reader"]
    assert reader == {"name": "tensorboard", "options": {"directory": "{checkpoint_dir}/*"}}
    assert tables["job"]["command"][:3] == ["{python}", "-m", "hpo_tensorboard"]
    assert "iteration" not in tables["job"]


def test_printed_numbers_of_held_out_data_come_before_written_ones(read: Read) -> None:
    tables = read(
        textwrap.dedent(ARGUMENTS)
        + textwrap.dedent(
            """
            with open("log.csv", "w") as file:
                csv.writer(file).writerow(["epoch", "loss"])
            print(f"val_loss: {loss}")
            """
        )
    )
    assert list(tables["job"]["metrics"]) == ["val_loss"]


def test_colours_and_the_end_of_another_name_do_not_mislead(read: Read) -> None:
    tables = read(
        """
        import argparse
        argparse.ArgumentParser().add_argument("--lr", type=float, default=0.1)
        print(f"val_loss: {a} - \\x1b[1mtest_accuracy: {b}\\x1b[0m")
        print(f"loss: {c}")
        """
    )
    ((name, pattern),) = tables["job"]["metrics"].items()
    assert name == "val_loss"
    line = "train_val_loss: 1 - val_loss: 2.5e-3 - test_accuracy: 3"
    assert [found[1] for found in re.finditer(pattern, line)] == ["2.5e-3"]


def test_help_of_other_languages_is_read() -> None:
    found = in_help(
        """
        usage: fit [options]
          -l, --lr FLOAT          learning rate [default: 0.01]
              --layers=<n>        number of layers (default: 2)
          --kind {linear,rbf}     the kernel, default rbf
          --verbose               say more
          --model <PATH>          where it goes
                                  (default: model.bin)
          --help                  this text
        """
    )
    assert [(each.option, each.kind, each.default) for each in found] == [
        ("--lr", "float", 0.01),
        ("--layers", "int", 2),
        ("--kind", "choice", "rbf"),
        ("--verbose", "flag", False),
        ("--model", "path", "model.bin"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("fit.py", "def broken(:", "is no Python that this Python reads"),
        ("fit.py", "print('hello')", "no arguments were found (argparse, click, typer, fire"),
        ("fit.sh", "echo hello", "is not Python, so its arguments are known from its --help alone"),
    ],
)
def test_what_can_not_be_read_is_an_error_with_a_remedy(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInput) as error:
        draft(tmp_path / name, tmp_path)
    assert said in str(error.value)
