"""Train a small neural network on the handwritten digits that come with scikit-learn.

A plain script, of the kind that you have already: it reads its arguments, trains epoch by epoch
and says after each one how well it does. The one line that hpo-core needs is `report`; run by
hand, without hpo-core, the script works too, and prints its reports:

    python train.py --learning-rate 0.01 --epochs 5

With `--checkpoints FOLDER` it keeps the network there after each epoch, and a later run resumes
from it: so a strategy may train a few epochs first, and the best networks further.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from hpo_core import report


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--l2", type=float, default=0.0001, help="weight decay")
    parser.add_argument("--hidden", type=int, default=32, help="units in the hidden layer")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--activation", choices=["logistic", "tanh", "relu"], default="relu")
    parser.add_argument("--solver", choices=["sgd", "adam"], default="adam")
    parser.add_argument("--momentum", type=float, default=0.9, help="for --solver sgd alone")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=Path, help="the folder that keeps the network")
    return parser.parse_args()


def main() -> None:
    given = arguments()

    # 1,797 pictures of 8 x 8 pixels, each from 0 to 16; a third of them, with as many of each
    # digit, is kept aside to validate on. The split is the same in every run.
    pictures, digits = load_digits(return_X_y=True)
    x_train, x_valid, y_train, y_valid = train_test_split(
        pictures / 16, digits, test_size=1 / 3, stratify=digits, random_state=0
    )

    epoch, accuracy, network = load(given.checkpoints) or (0, None, untrained(given))
    if accuracy is not None:  # the report of this epoch may have been lost with the controller
        report(iteration=epoch, **{"validation/accuracy": accuracy})
    while epoch < given.epochs:
        network.partial_fit(x_train, y_train, classes=np.unique(digits))  # one pass over the data
        epoch, accuracy = epoch + 1, network.score(x_valid, y_valid)
        save(given.checkpoints, (epoch, accuracy, network))
        report(iteration=epoch, **{"validation/accuracy": accuracy})


def untrained(given: argparse.Namespace) -> MLPClassifier:
    return MLPClassifier(
        hidden_layer_sizes=(given.hidden,),
        activation=given.activation,
        solver=given.solver,
        learning_rate_init=given.learning_rate,
        momentum=given.momentum,
        alpha=given.l2,
        batch_size=given.batch_size,
        # A generator, not a number: a number would shuffle the pictures alike in every epoch.
        random_state=np.random.RandomState(given.seed),
    )


def load(folder: Path | None) -> tuple[int, float, MLPClassifier] | None:
    """Return the last epoch that was saved, its accuracy and the network, if there are any."""
    file = None if folder is None else folder / "network.joblib"
    return joblib.load(file) if file and file.exists() else None


def save(folder: Path | None, state: tuple[int, float, MLPClassifier]) -> None:
    """Save an epoch: in one step, so that a job which is killed leaves a whole file."""
    if folder is not None:
        joblib.dump(state, folder / "next.joblib")
        os.replace(folder / "next.joblib", folder / "network.joblib")


if __name__ == "__main__":
    main()
