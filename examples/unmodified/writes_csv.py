#!/usr/bin/env python
"""Linear classifier on digits with random Fourier features, logged to a CSV file."""

import csv
from pathlib import Path

import click
import numpy as np
from sklearn.datasets import load_digits
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

FIELDS = ["epoch", "train_loss", "valid_loss", "valid_accuracy"]


@click.command()
@click.option("--alpha", default=1e-4, show_default=True, help="L2 regularization strength.")
@click.option("--eta0", default=0.01, show_default=True, help="Initial learning rate.")
@click.option("--penalty", type=click.Choice(["l2", "l1", "elasticnet"]), default="l2")
@click.option("--gamma", default=0.01, show_default=True, help="Width of the RBF kernel.")
@click.option("--features", default=300, show_default=True, help="Number of random features.")
@click.option("--average/--no-average", default=False, help="Average the weights.")
@click.option("-n", "--n-epochs", default=40, show_default=True)
@click.option("--out-dir", type=click.Path(path_type=Path), default="results")
@click.option("--seed", default=0)
def main(alpha, eta0, penalty, gamma, features, average, n_epochs, out_dir, seed):
    out_dir.mkdir(parents=True, exist_ok=True)
    x, y = load_digits(return_X_y=True)
    x_train, x_valid, y_train, y_valid = train_test_split(x, y, test_size=0.3, random_state=seed)
    scaler = StandardScaler().fit(x_train)
    sampler = RBFSampler(gamma=gamma, n_components=features, random_state=seed)
    x_train = sampler.fit_transform(scaler.transform(x_train))
    x_valid = sampler.transform(scaler.transform(x_valid))
    model = SGDClassifier(
        loss="log_loss",
        alpha=alpha,
        eta0=eta0,
        learning_rate="adaptive",
        penalty=penalty,
        average=average,
        random_state=seed,
    )
    rng = np.random.RandomState(seed)
    with open(out_dir / "history.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, fieldnames=FIELDS)
        writer.writeheader()
        for epoch in range(n_epochs):
            order = rng.permutation(len(x_train))
            for part in np.array_split(order, 10):
                model.partial_fit(x_train[part], y_train[part], classes=np.arange(10))
            writer.writerow(
                {
                    "epoch": epoch + 1,
                    "train_loss": log_loss(y_train, model.predict_proba(x_train)),
                    "valid_loss": log_loss(y_valid, model.predict_proba(x_valid)),
                    "valid_accuracy": accuracy_score(y_valid, model.predict(x_valid)),
                }
            )
            f.flush()
    click.echo(f"wrote {out_dir / 'history.csv'}")


if __name__ == "__main__":
    main()
