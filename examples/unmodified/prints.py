"""Train a one-hidden-layer network on the digits of scikit-learn, in numpy."""

import argparse
import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def progress(epoch, epochs, batch, batches, loss):
    filled = 30 * batch // batches
    bar = "=" * filled + "." * (30 - filled)
    sys.stdout.write(f"\rEpoch {epoch}/{epochs} [{bar}] {batch}/{batches} loss: {loss:.4f}")
    sys.stdout.flush()


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Net:
    def __init__(self, n_in, n_hidden, n_out, rng):
        self.w1 = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_hidden))
        self.b1 = np.zeros(n_hidden)
        self.w2 = rng.normal(0, np.sqrt(2 / n_hidden), (n_hidden, n_out))
        self.b2 = np.zeros(n_out)
        self.velocity = [np.zeros_like(p) for p in self.params()]

    def params(self):
        return [self.w1, self.b1, self.w2, self.b2]

    def forward(self, x, drop=0.0, rng=None):
        h = np.maximum(x @ self.w1 + self.b1, 0)
        if drop:
            h = h * (rng.random(h.shape) >= drop) / (1 - drop)
        return h, softmax(h @ self.w2 + self.b2)

    def step(self, x, y, args, rng):
        h, p = self.forward(x, args.dropout, rng)
        loss = -np.log(p[np.arange(len(y)), y] + 1e-12).mean()
        d = p.copy()
        d[np.arange(len(y)), y] -= 1
        d /= len(y)
        dh = (d @ self.w2.T) * (h > 0)
        grads = [x.T @ dh, dh.sum(0), h.T @ d, d.sum(0)]
        for param, grad, v in zip(self.params(), grads, self.velocity):
            v *= args.momentum
            v -= args.lr * (grad + args.weight_decay * param)
            param += v
        return loss


def evaluate(net, x, y):
    _, p = net.forward(x)
    loss = -np.log(p[np.arange(len(y)), y] + 1e-12).mean()
    return loss, (p.argmax(1) == y).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    rng = np.random.default_rng(args.seed)
    x, y = load_digits(return_X_y=True)
    x_train, x_val, y_train, y_val = train_test_split(
        x / 16, y, test_size=0.25, random_state=args.seed, stratify=y
    )
    print(f"{len(x_train)} training samples, {len(x_val)} validation samples")

    net = Net(x.shape[1], args.hidden, 10, rng)
    batches = int(np.ceil(len(x_train) / args.batch_size))
    best = 0.0
    for epoch in range(1, args.epochs + 1):
        order = rng.permutation(len(x_train))
        total = 0.0
        for batch in range(batches):
            some = order[batch * args.batch_size : (batch + 1) * args.batch_size]
            total += net.step(x_train[some], y_train[some], args, rng)
            progress(epoch, args.epochs, batch + 1, batches, total / (batch + 1))
        val_loss, val_acc = evaluate(net, x_val, y_val)
        best = max(best, val_acc)
        print(f" - val_loss: {val_loss:.4f} - val_acc: {val_acc:.4f}")
    print(f"Best validation accuracy: {best:.4f}")


if __name__ == "__main__":
    main()
