"""Which arguments of a script to search, and their ranges."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from hpo_core.draft.argument import Argument

_RATES = (
    "lr", "learning_rate", "weight_decay", "wd", "decay", "l1", "l2", "lambda", "reg", "penalty",
    "eta", "alpha_l2", "entropy_coef", "ent_coef", "tol", "noise", "temperature", "sigma", "rate",
)  # fmt: skip
_COUNTS = (
    "batch", "bs", "hidden", "hid", "nhid", "units", "dim", "width", "layers", "nlayers", "depth",
    "heads", "nhead", "channels", "filters", "features", "embed", "emb", "emsize", "neurons",
    "estimators", "leaves", "neighbors", "n_iter", "kernel", "rank", "ndf", "ngf", "components",
    "minibatches", "min_samples", "bins", "accumulation", "warmup", "lora_r", "r",
)  # fmt: skip
_LEFT = re.compile(
    r"(^|_)(seed|port|device|devices|gpu|gpus|rank|local_rank|worker|workers|num_workers|log|eval|"
    r"print|save|interval|freq|frequency|every|verbose|threads|nodes|world_size|version|id|resume|"
    r"start_epoch|patience|split|ratio|frac|fraction|percentage|val_size|test_size|size_of|"
    r"image_size|img_size|input_size|crop|crop_pct|cutoff|max_seq_length|num_classes|classes|"
    r"total_timesteps|timeout|fps|limit|samples|test_batch_size|eval_batch_size|epsilon|eps|"
    r"queue|cycle|repeats|num_labels|vocab|vocab_size|block_size|mean|std|steps|step|iters|"
    r"ema_decay|loss_scale|prob_threshold|conf|mem|memory)(_|$)"
)
_EPOCHS = re.compile(r"^(n_?|num_?|max_?|nb_?|total_|train_)*(epochs?|niter|num_train_epochs)$")
_OUTPUT = re.compile(
    r"(^|_)(out|outf|output|save|log|logs|checkpoint|checkpoints|ckpt|ckpts|model|results?|work|"
    r"run|exp|tensorboard|tb)_?(dir|directory|path|folder|root)$|^(out|output|outf|logdir|outdir|"
    r"savedir|output_folder|save)$"
)
_LOG = re.compile(
    r"(^|_)(out|outf|output|save|logs?|results?|csv|json|history|metrics?|curves?)(_|$)"
)
_ROWS = re.compile(r"(?i)\.(csv|jsonl|ndjson|json)$")
_FIXED_CHOICES = re.compile(
    r"device|dataset|data|mode|task|split|backend|dtype|precision|log|format|launcher|platform|"
    r"cuda|amp|strategy|env|tokenizer|report|accelerator|language|verbos|mixed|bias_?type"
)
_SEARCHED_FLAGS = re.compile(
    r"nesterov|amsgrad|batch_?norm|layer_?norm|bias|tied|augment|dropout|residual|bidirectional|"
    r"norm_adv|clip_vloss|anneal_lr|centered|warm_start|cosine|mixup|cutmix|ema|pooling"
)
_USUAL: dict[str, float] = {"lr": 1e-3, "learning_rate": 1e-3}


class Guess(NamedTuple):
    """The role of an argument in the draft.

    Attributes:
        role: ``searched``, ``epochs``, ``output``, ``needed`` (a value is required) or ``left``.
        table: The parameter, as in a study file; empty if the argument is not searched.
        question: What is to be decided by a person.
    """

    role: str
    table: dict[str, Any]
    question: str = ""


def guess(argument: Argument) -> Guess:
    """Return the role of an argument."""
    name = argument.name.lower().rpartition(".")[2]
    if _EPOCHS.match(name) and argument.kind in ("int", "unknown", "float"):
        return Guess("epochs", {})
    if argument.kind in ("text", "path", "unknown") and (
        _OUTPUT.search(name) or (_LOG.search(name) and _ROWS.search(str(argument.default)))
    ):
        return Guess("output", {})
    table, question = _parameter(argument, name)
    if table:
        return Guess("searched", table, question)
    if argument.is_required:
        return Guess("needed", {}, question)
    return Guess("left", {}, question)


def is_usual(argument: Argument) -> bool:
    """Return whether an argument is one of those that are searched first."""
    name = argument.name.lower()
    words = ("lr", "learning_rate", "weight_decay", "momentum", "batch_size", "hidden", "layers",
             "optimizer", "opt", "dropout", "drop", "gamma", "warmup", "depth", "dim")  # fmt: skip
    return _is_among(name, words) and not name.startswith(("min_", "end_"))


def _parameter(argument: Argument, name: str) -> tuple[dict[str, Any], str]:
    default = argument.default
    match argument.kind:
        case "choice":
            return _of_choices(argument, name)
        case "flag" if _SEARCHED_FLAGS.search(name):
            return {"type": "categorical", "choices": [True, False], "default": bool(default)}, ""
        case "float" if not _LEFT.search(name):
            return _float(argument, name)
        case "int" if _is_among(name, _COUNTS) and not _LEFT.search(name):
            if type(default) is not int or default < 1:
                return {}, "which range?"
            return _int(argument, default), ""
    return {}, ""


def _of_choices(argument: Argument, name: str) -> tuple[dict[str, Any], str]:
    choices = [each for each in argument.choices if isinstance(each, str | int | float)]
    if _FIXED_CHOICES.search(name) or len(set(map(repr, choices))) < 2:
        return {}, ""
    unique = list(dict.fromkeys(choices))
    table: dict[str, Any] = {"type": "categorical", "choices": unique}
    if argument.default in unique:
        table["default"] = argument.default
    return table, "all of them?" if len(unique) > 8 else ""


def _float(argument: Argument, name: str) -> tuple[dict[str, Any], str]:
    default, question = argument.default, ""
    if not isinstance(default, int | float) or not math.isfinite(default):
        if name not in _USUAL:
            return {}, "which range?"
        default, question = _USUAL[name], "the script has no default: is this range right?"
    default = float(default)
    low, high, log = _range(name, default)
    if argument.low is not None and argument.low > low:
        low = float(argument.low)
    if argument.high is not None and argument.high < high:
        high = float(argument.high)
    if not low < high or (not low <= default <= high and default != 0):
        return {}, "which range?"
    table: dict[str, Any] = {"type": "float", "low": low, "high": high}
    if log and low > 0:
        table["log"] = True
    if low <= default <= high:
        table["default"] = default
    elif default == 0:
        question = "the script's default is 0, which a logarithmic scale can't have: drop log?"
    return table, question


def _range(name: str, default: float) -> tuple[float, float, bool]:
    """Return a range around a default, and whether it is logarithmic."""
    if _is_among(name, _RATES) or 0 < default < 0.02:
        if default == 0:
            return 1e-6, 1e-2, True
        if 0 < default < 0.9:
            return _round(default / 30), min(_round(default * 30), 1.0), True
    if default == 0:
        return 0.0, 0.5 if "drop" in name else 1.0, False
    if "drop" in name and default < 0.7:
        return 0.0, 0.7, False
    if 0.5 <= default < 1:
        return 0.5, max(0.999, default), False
    if 0 < default < 0.5:
        return 0.0, 1.0, False
    low, high = sorted((_round(default / 4), _round(default * 4)))
    return low, high, False


def _int(argument: Argument, default: int) -> dict[str, Any]:
    low, high = max(default // 4, 1), default * 4
    if argument.low is not None:
        low = max(low, int(argument.low))
    if argument.high is not None:
        high = min(high, int(argument.high))
    table: dict[str, Any] = {"type": "int", "low": low, "high": max(high, low + 1)}
    if default >= 16:
        table["log"] = True
    return {**table, "default": min(max(default, low), table["high"])}


def _round(value: float) -> float:
    return float(f"{value:.0e}")


def _is_among(name: str, words: tuple[str, ...]) -> bool:
    parts = re.split(r"[_.]", name)
    return any(word in parts or name == word or ("_" in word and word in name) for word in words)
