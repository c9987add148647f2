"""Fifteen test functions of the emulation literature that the recipe was not shaped on, as a suite for bench/duqling.ts, and
scores beside scikit-learn's Gaussian process (anisotropic Matern 5/2, maximum likelihood) on the same runs.

    python3 bench/functions.py make SUITE
    npx tsx bench/duqling.ts SUITE --out DIR --method emulator
    python3 bench/functions.py score SUITE DIR

Needs numpy, scipy and scikit-learn. 500 runs of a Latin hypercube without noise, 1000 others to test on. Sources: Gramacy & Lee
(2008, 2009), Lim et al. (2002), Park (1991), Welch et al. (1992), An & Owen (2001, robot arm), Saltelli & Sobol (1995, g function),
Dette & Pepelyshev (2010), Moon (2010, ignition), Michalewicz (1992), Hwang et al. (1994, additive and harmonic), Duqling (squiggle).
"""
import json
import os
import sys

import numpy as np
from numpy import cos, exp, log, pi, sin, sqrt
from scipy.special import erf

RUNS, TESTS = 500, 1000


def additive(x):
    first = 1.5 * (1 - x[:, 0]) + exp(2 * x[:, 0] - 1) * sin(3 * pi * (x[:, 0] - 0.6) ** 2)
    return 1.3356 * (first + exp(3 * (x[:, 1] - 0.5)) * sin(4 * pi * (x[:, 1] - 0.9) ** 2))


def harmonic(x):
    a, b = x[:, 0] - 0.5, x[:, 1] - 0.5
    return 42.659 * (0.1 + a * (0.05 + a**4 - 10 * a * a * b * b + 5 * b**4))


def lee1(x):
    t = 0.5 + 2 * x[:, 0]
    return sin(10 * pi * t) / (2 * t) + (t - 1) ** 4


def lee2(x):
    t = 8 * x - 2
    return t[:, 0] * exp(-(t**2).sum(1))


def lee6(x):
    return exp(sin((0.9 * (x[:, 0] + 0.48)) ** 10)) + x[:, 1] * x[:, 2] + x[:, 3]


def lim_polynomial(x):
    a, b = x.T
    return 9 + 2.5 * a - 17.5 * b + 2.5 * a * b + 19 * b**2 - 7.5 * a**3 - 2.5 * a * b**2 - 5.5 * b**4 + a**3 * b**2


def lim_other(x):
    a, b = x.T
    return (30 + 5 * a * sin(5 * a)) * (4 + exp(-5 * b)) / 6 - 100 / 6


def michalewicz(x):
    a, b = pi * x.T
    return -(sin(a) * sin(a**2 / pi) ** 20 + sin(b) * sin(2 * b**2 / pi) ** 20)


def park(x):
    a, b, c, d = np.clip(x, 1e-6, 1).T
    return a / 2 * (sqrt(1 + (b + c * c) * d / a**2) - 1) + (a + 3 * d) * exp(1 + sin(c))


def welch(x):
    z = x - 0.5
    linear = {2: 0.05, 3: 0.08, 5: 1, 6: -0.03, 7: 0.03, 9: -0.09, 10: -0.01, 11: -0.07, 14: -0.04, 15: 0.06, 17: -0.01, 18: -0.03, 19: -5}
    sum_ = sum(weight * z[:, i - 1] for i, weight in linear.items())
    return sum_ + 5 * z[:, 11] / (1 + z[:, 0]) + 5 * (z[:, 3] - z[:, 19]) ** 2 + 40 * z[:, 18] ** 3 + 0.25 * z[:, 12] ** 2


def robot(x):
    angles, lengths = 2 * pi * np.cumsum(x[:, :4], 1), x[:, 4:]
    return np.hypot((lengths * cos(angles)).sum(1), (lengths * sin(angles)).sum(1))


def sobol_g(x):
    a = np.array([-0.5, 0, 0.5, 1, 1.5, 2])
    parts = (np.abs(4 * x - 2) + a) / (1 + a)
    parts[:, 1] = np.abs(4 * x[:, 1] - 2)
    return parts.prod(1)


def dette(x):
    a, b, c = x[:, 0], x[:, 1], x[:, 2]
    first = 4 * (a - 2 + 8 * b - 8 * b**2) ** 2 + (3 - 4 * b) ** 2 + 16 * sqrt(c + 1) * (2 * c - 1) ** 2
    return first + sum(i * log(1 + x[:, 2:i].sum(1)) for i in range(4, 9))


def ignition(x):
    r = sqrt((x**2).sum(1))
    return np.log10(r**5 * (1 + 1e5 * (1 + erf(10 * (r - 2)))))


def squiggle(x):
    width = 0.5 / 8 / 2
    z = (x[:, 1] - (sin(2 * pi * x[:, 0] ** 2) / 4 - x[:, 0] / 10 + 0.5)) / width
    return exp(-0.5 * z * z) / (width * sqrt(2 * pi)) * x[:, 0]


# Name, inputs, function. The order gives the seed.
FUNCTIONS = [
    ("dms_additive", 2, additive), ("dms_harmonic", 2, harmonic), ("grlee1", 1, lee1), ("grlee2", 2, lee2), ("grlee6", 6, lee6),
    ("lim_poly", 2, lim_polynomial), ("lim_nonpoly", 2, lim_other), ("micwicz", 2, michalewicz), ("park4", 4, park),
    ("welch20", 20, welch), ("robot", 8, robot), ("gfunction6", 6, sobol_g), ("detpep8", 8, dette), ("ignition", 10, ignition),
    ("squiggle", 2, squiggle),
]


def hypercube(n, d, rng):
    return np.stack([(rng.permutation(n) + rng.random(n)) / n for _ in range(d)], 1)


def make(suite):
    lines = ["case,function,n_train,nsr,rep"]
    for k, (name, d, function) in enumerate(FUNCTIONS):
        case = f"{name}__n{RUNS}__nsr0__r1"
        os.makedirs(f"{suite}/{case}", exist_ok=True)
        rng = np.random.default_rng(100 + k)
        for part, n in (("train", RUNS), ("test", TESTS)):
            x = hypercube(n, d, rng)
            head = ",".join([f"x{i + 1}" for i in range(d)] + ["y"])
            rows = np.column_stack([x, function(x)])
            np.savetxt(f"{suite}/{case}/{part}.csv", rows, "%.17g", ",", header=head, comments="")
        lines.append(f"{case},{name},{RUNS},0,1")
    with open(f"{suite}/cases.csv", "w") as file:
        file.write("\n".join(lines) + "\n")


def crps(mean, std, y):
    z = (y - mean) / np.maximum(std, 1e-300)
    return np.mean(std * (z * erf(z / sqrt(2)) + 2 * exp(-z * z / 2) / sqrt(2 * pi) - 1 / sqrt(pi)))


def process(x, y, new):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    kernel = ConstantKernel(1.0, (1e-3, 1e4)) * Matern(np.ones(x.shape[1]), (1e-2, 1e3), nu=2.5) + WhiteKernel(1e-6, (1e-10, 1))
    found = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=0).fit(x, y)
    mean, std = found.predict(new, return_std=True)
    noise = found.kernel_.k2.noise_level * y.var()
    return mean, sqrt(np.maximum(std**2 - noise, 1e-20))


def score(suite, predictions):
    import warnings

    warnings.filterwarnings("ignore")
    read = lambda path: np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    print(f"{'function':14s} {'FVU':>9s} {'CRPS':>9s} in 90 %   process: FVU, CRPS, in 90 %")
    for name, _, _ in FUNCTIONS:
        case = f"{name}__n{RUNS}__nsr0__r1"
        train, test, own = (read(path) for path in (f"{suite}/{case}/train.csv", f"{suite}/{case}/test.csv", f"{predictions}/{case}.csv"))
        y, scale = test[:, -1], test[:, -1].std()
        with open(f"{predictions}/{case}.json") as file:
            seconds = json.load(file)["t_fit"]
        line = f"{name:14s}"
        for mean, std in ((own[:, 0], own[:, 1]), process(train[:, :-1], train[:, -1], test[:, :-1])):
            held = np.mean(np.abs(y - mean) <= 1.6449 * std)
            line += f" {np.mean((mean - y) ** 2) / scale**2:9.2e} {crps(mean, std, y) / scale:9.2e} {100 * held:5.0f} % "
        print(f"{line}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "make":
        make(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "score":
        score(sys.argv[2], sys.argv[3])
    else:
        sys.exit("usage: functions.py make SUITE | functions.py score SUITE PREDICTIONS")
