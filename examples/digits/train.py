"""Train a small neural network on the handwritten digits that come with scikit-learn.

A plain script, of the kind that you have already: it reads its arguments, trains epoch by epoch
and says after each one how well it does. The one line that hpo-core needs is `report`; run by
hand, without hpo-core, the script works too, and prints its reports:

    python train.py --learning-rate 0.01 --epochs 5
"""

from __future__ import annotations

import argparse

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
    return parser.parse_args()


def main() -> None:
    given = arguments()

    # 1,797 pictures of 8 x 8 pixels, each from 0 to 16; a third of them, with as many of each
    # digit, is kept aside to validate on. The split is the same in every run.
    pictures, digits = load_digits(return_X_y=True)
    x_train, x_valid, y_train, y_valid = train_test_split(
        pictures / 16, digits, test_size=1 / 3, stratify=digits, random_state=0
    )

    network = MLPClassifier(
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
    for epoch in range(1, given.epochs + 1):
        network.partial_fit(x_train, y_train, classes=np.unique(digits))  # one pass over the data
        report(iteration=epoch, **{"validation/accuracy": network.score(x_valid, y_valid)})


if __name__ == "__main__":
    main()
