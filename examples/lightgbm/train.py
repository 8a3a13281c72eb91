"""Boost trees on the breast cancer data of scikit-learn, and report the loss after each round."""

from __future__ import annotations

import argparse

import lightgbm
from hpo_frameworks.lightgbm import ReportCallback
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rounds", type=int, default=60)
parser.add_argument("--learning-rate", type=float, default=0.1)
parser.add_argument("--leaves", type=int, default=31)
parser.add_argument("--min-data", type=int, default=20)
given = parser.parse_args()

x_train, x_valid, y_train, y_valid = train_test_split(
    *load_breast_cancer(return_X_y=True), test_size=1 / 3, random_state=0
)
train = lightgbm.Dataset(x_train, y_train)
lightgbm.train(
    {
        "objective": "binary",
        "learning_rate": given.learning_rate,
        "num_leaves": given.leaves,
        "min_data_in_leaf": given.min_data,
        "num_threads": 1,
        "seed": 0,
        "verbose": -1,
    },
    train,
    num_boost_round=given.rounds,
    valid_sets=[train.create_valid(x_valid, y_valid)],
    valid_names=["validation"],
    callbacks=[ReportCallback()],
)
