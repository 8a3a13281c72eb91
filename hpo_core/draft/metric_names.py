"""Which words name metrics, which metrics are better when lower, and which are on held-out data."""

from __future__ import annotations

import re

_LESS_IS_BETTER = re.compile(
    r"(\w*loss(es)?|err(or)?|r?mse|mae|mape|perplexity|ppl|bp[bdc]|nll|[wc]er|fid|elbo|bce)\d*"
)
_MORE_IS_BETTER = re.compile(
    r"((acc(uracy)?|prec(ision)?|top|recall|hit|ndcg)(@?\d+)?|f1|auc|auroc|score|rewards?|returns?|"
    r"bleu|rouge\w*|m?ap|m?iou|dice|r2|psnr|ssim)"
)

HELD_OUT = ("val", "valid", "test", "eval", "dev")


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case: ``val_loss`` has two."""
    return [word.lower() for word in re.findall(r"[A-Za-z][A-Za-z0-9@]*", text.replace("_", " "))]


def is_metric(word: str) -> bool:
    """Return whether a word names a metric."""
    return bool(_LESS_IS_BETTER.fullmatch(word) or _MORE_IS_BETTER.fullmatch(word))


def is_less(name: str) -> bool:
    """Return whether a lower value of a metric is better."""
    return any(_LESS_IS_BETTER.fullmatch(word) for word in words_of(name))


def is_held_out(text: str) -> bool:
    """Return whether a text names data that the script does not train on."""
    return any(word.startswith(HELD_OUT) for word in words_of(text))


def unlikelihood(text: str) -> tuple[bool, bool]:
    """Return a sort key: how unlikely a number with this text is the objective."""
    return not is_held_out(text), "train" in words_of(text)
