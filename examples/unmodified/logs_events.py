"""MLP on digits with TensorBoard logging."""

import argparse
import os
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from tensorboardX import SummaryWriter


def get_args():
    p = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--logdir", default="runs", help="where TensorBoard logs go")
    p.add_argument("--name", default=None, help="name of the run")
    p.add_argument("--epochs", "-e", type=int, default=30)
    p.add_argument("--bs", type=int, default=64, help="batch size")
    p.add_argument("--learning_rate", type=float, default=1e-3)
    p.add_argument("--alpha", type=float, default=1e-4, help="weight decay")
    p.add_argument("--layers", type=int, default=2)
    p.add_argument("--width", type=int, default=64)
    p.add_argument("--act", choices=["relu", "tanh", "logistic"], default="relu")
    return p.parse_args()


if __name__ == "__main__":
    opt = get_args()
    name = opt.name or time.strftime("%Y%m%d-%H%M%S")
    writer = SummaryWriter(os.path.join(opt.logdir, name))
    writer.add_text("args", str(vars(opt)))

    X, y = load_digits(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.3, random_state=42)
    clf = MLPClassifier(
        hidden_layer_sizes=(opt.width,) * opt.layers,
        activation=opt.act,
        learning_rate_init=opt.learning_rate,
        alpha=opt.alpha,
        batch_size=opt.bs,
        random_state=0,
    )
    step = 0
    for epoch in range(opt.epochs):
        clf.partial_fit(X_tr, y_tr, classes=np.arange(10))
        writer.add_scalar("loss/train", clf.loss_, epoch)
        writer.add_scalar("loss/test", log_loss(y_te, clf.predict_proba(X_te)), epoch)
        writer.add_scalar("accuracy/test", clf.score(X_te, y_te), epoch)
        print(f"finished epoch {epoch}")
    writer.close()
