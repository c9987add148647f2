"""Other emulators on the runs of one table, to stand beside ours in bench/accuracy.ts.

gp   a Gaussian process per output: anisotropic Matern 5/2 kernel and white noise (scikit-learn), of all runs. The marginal
     likelihood, whose cost is the cube of the runs, is maximised on at most 1000 of them, 4000 where there is a CUDA card;
     PyTorch computes it and its gradient
rbf  the same with the squared exponential kernel
ridge  quadratic ridge regression: all products of two inputs, the penalty per output by leave-one-out, the standard
     deviation that of the leave-one-out residuals (scikit-learn)
mlp  an ensemble of 5 multilayer perceptrons of 3 x 64 ReLU units: Adam, cosine schedule, batches of 32, 400 epochs and at
     least 5000 steps, the best epoch on a tenth of the runs (PyTorch)

Reads one JSON document on stdin: `x_train`, `y_train`, `x_test` (lists of rows), `levels` (per input: number of levels of
a categorical one, whose cells are their indices, else 0), `seed`, `peers` (names), `restarts` (of the likelihood's
maximiser). Writes one on stdout: per peer `mean` and `std` at the test rows, and `seconds`. One thread.

Numbers are z-scored, positive inputs over more than two decades as logarithms. More than 30 outputs are learned as
principal components: 99.9999 % of the variance, 12 at most.
"""

import json
import os
import sys
import time
import warnings

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402  the number of threads comes first
import torch  # noqa: E402
from sklearn.gaussian_process import GaussianProcessRegressor  # noqa: E402
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel  # noqa: E402
from sklearn.linear_model import RidgeCV  # noqa: E402
from sklearn.preprocessing import PolynomialFeatures, StandardScaler  # noqa: E402
from torch import nn  # noqa: E402

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
LIKELIHOOD_ROWS = 4000 if DEVICE == "cuda" else 1000
MEMBERS, WIDTH, EPOCHS, LEAST_STEPS, BATCH, RATE = 5, 64, 400, 5000, 32, 2e-3
MANY_OUTPUTS, COMPONENTS, KEPT_VARIANCE = 30, 12, 0.999999


def moments(values):
    """Mean and standard deviation of each column; 1 where it does not vary."""
    std = values.std(0)
    return values.mean(0), np.where(std > 0, std, 1.0)


def scaled_inputs(train, test, levels):
    """Both sets of inputs, scaled by the first."""
    columns = []
    for j, count in enumerate(levels):
        a, b = train[:, j], test[:, j]
        if count > 0:
            columns += [(a == level, b == level) for level in range(count)]
            continue
        if a.min() > 0 and a.max() / a.min() > 100:
            a, b = np.log(a), np.log(np.maximum(b, 1e-3 * a.min()))
        mean, std = moments(a)
        columns.append(((a - mean) / std, (b - mean) / std))
    return tuple(np.stack([pair[side] for pair in columns], 1).astype(float) for side in (0, 1))


def components(z):
    """An orthogonal basis of z's rows, components x outputs, and the spread along each."""
    if z.shape[1] <= MANY_OUTPUTS:
        return np.eye(z.shape[1]), np.ones(z.shape[1])
    _, s, v = np.linalg.svd(z, full_matrices=False)
    enough = int(np.searchsorted(np.cumsum(s**2) / (s**2).sum(), KEPT_VARIANCE)) + 1
    basis = v[: min(COMPONENTS, enough)]
    return basis, (z @ basis.T).std(0)


def matern(d):
    return Matern(np.full(d, 3.0), (1e-2, 1e3), nu=2.5)


def squared_exponential(d):
    return RBF(np.full(d, 3.0), (1e-2, 1e3))


class TorchProcess(GaussianProcessRegressor):
    """A process whose likelihood PyTorch computes, in float64: of a constant times a Matern 5/2 or squared exponential
    kernel, plus white noise. All else is scikit-learn's."""

    def log_marginal_likelihood(self, theta=None, eval_gradient=False, clone_kernel=True):
        if theta is None:
            return self.log_marginal_likelihood_value_
        if not clone_kernel:
            self.kernel_.theta = theta
        x, y = (torch.tensor(a, dtype=torch.float64, device=DEVICE) for a in (self.X_train_, self.y_train_.ravel()))
        constant, *scales, noise = torch.tensor(theta, dtype=torch.float64, device=DEVICE).exp()

        def squares():
            """Squared scaled distances along each input, n x n, one at a time."""
            return (((column[:, None] - column) / scale) ** 2 for column, scale in zip(x.T, scales))

        square = sum(squares())
        if isinstance(self.kernel_.k1.k2, Matern):
            r = (5 * square).sqrt()
            kernel, slope = (1 + r + r**2 / 3) * (-r).exp(), 5 / 3 * (1 + r) * (-r).exp()
        else:
            kernel = slope = (-square / 2).exp()
        n = len(x)
        factor, failed = torch.linalg.cholesky_ex(constant * kernel + (noise + self.alpha) * torch.eye(n).to(x))
        if failed:
            return (-np.inf, np.zeros(len(theta))) if eval_gradient else -np.inf
        weights = torch.cholesky_solve(y[:, None], factor)[:, 0]
        value = -0.5 * y @ weights - factor.diagonal().log().sum() - 0.5 * n * np.log(2 * np.pi)
        if not eval_gradient:
            return value.item()
        inner = 0.5 * (torch.outer(weights, weights) - torch.cholesky_inverse(factor))
        shaped = inner * constant * slope
        gradient = [(inner * constant * kernel).sum(), *((shaped * d).sum() for d in squares()), noise * inner.trace()]
        return value.item(), torch.stack(gradient).cpu().numpy()


def gp(x, y, x_test, seed, restarts, shape=matern):
    """Mean and standard deviation at x_test, rows x outputs."""
    rows = np.random.RandomState(seed).permutation(len(x))[:LIKELIHOOD_ROWS]
    means, stds = [], []
    for target in y.T:
        kernel = ConstantKernel(10, (1e-3, 1e5)) * shape(x.shape[1])
        likeliest = TorchProcess(
            kernel + WhiteKernel(1e-4, (1e-10, 1)), normalize_y=True, n_restarts_optimizer=restarts, random_state=seed
        ).fit(x[rows], target[rows])
        process = GaussianProcessRegressor(likeliest.kernel_, optimizer=None, normalize_y=True).fit(x, target)
        mean, std = process.predict(x_test, return_std=True)
        means.append(mean)
        stds.append(std)
    return np.stack(means, 1), np.stack(stds, 1)


def rbf(x, y, x_test, seed, restarts):
    return gp(x, y, x_test, seed, restarts, squared_exponential)


def ridge(x, y, x_test, _seed, _restarts):
    """Mean and standard deviation at x_test, rows x outputs."""
    products = PolynomialFeatures(2, include_bias=False).fit(x)
    scaler = StandardScaler().fit(products.transform(x))
    features, features_test = (scaler.transform(products.transform(a)) for a in (x, x_test))
    means, stds = [], []
    for target in y.T:
        model = RidgeCV(np.logspace(-9, 4, 40)).fit(features, target)
        means.append(model.predict(features_test))
        stds.append(np.full(len(x_test), np.sqrt(-model.best_score_)))
    return np.stack(means, 1), np.stack(stds, 1)


def trained_mlp(x, y, seed):
    """One network, with the weights of its best epoch on the tenth of the rows it is not trained on."""
    torch.manual_seed(seed)
    sizes = [x.shape[1], WIDTH, WIDTH, WIDTH]
    hidden = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    net = nn.Sequential(*hidden, nn.Linear(WIDTH, y.shape[1]))
    order = torch.randperm(len(x))
    held, train = order[: max(1, len(x) // 10)], order[max(1, len(x) // 10) :]
    epochs = max(EPOCHS, LEAST_STEPS // -(-len(train) // BATCH))
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    best, kept = float("inf"), None
    for _ in range(epochs):
        for batch in train[torch.randperm(len(train))].split(BATCH):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(x[batch]), y[batch]).backward()
            optimiser.step()
        schedule.step()
        with torch.no_grad():
            loss = nn.functional.mse_loss(net(x[held]), y[held]).item()
        if loss < best:
            best, kept = loss, {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(kept)
    return net


def mlp(x, y, x_test, seed, _restarts):
    """Mean and standard deviation of the members at x_test, rows x outputs."""
    x, y, x_test = (torch.tensor(a, dtype=torch.float32) for a in (x, y, x_test))
    nets = [trained_mlp(x, y, 1000 * seed + member) for member in range(MEMBERS)]
    with torch.no_grad():
        each = torch.stack([net(x_test) for net in nets]).double().numpy()
    return each.mean(0), each.std(0, ddof=1)


PEERS = {"gp": gp, "rbf": rbf, "ridge": ridge, "mlp": mlp}


def main():
    asked = json.load(sys.stdin)
    x_train, y_train, x_test = (np.array(asked[key], dtype=float) for key in ("x_train", "y_train", "x_test"))
    x, x_test = scaled_inputs(x_train, x_test, asked["levels"])
    offset, scale = moments(y_train)
    z = (y_train - offset) / scale
    basis, spread = components(z)
    answers = {}
    for name in asked["peers"]:
        started = time.perf_counter()
        mean, std = PEERS[name](x, z @ basis.T / spread, x_test, asked["seed"], asked["restarts"])
        answers[name] = {
            "mean": ((mean * spread) @ basis * scale + offset).tolist(),
            "std": (np.sqrt((std * spread) ** 2 @ basis**2) * scale).tolist(),
            "seconds": time.perf_counter() - started,
        }
    print(json.dumps(answers))


torch.set_num_threads(1)
warnings.filterwarnings("ignore")  # length scales at their bounds
main()
