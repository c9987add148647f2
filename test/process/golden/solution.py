"""Golden numbers of test/process/solution.test.ts: one Gaussian process at fixed parameters, by NumPy in float64.

    python3 test/process/golden/solution.py > test/process/golden/solution.json
"""
import json
import numpy as np

n, d, m = 60, 2, 4
i = np.arange(n)
x = np.stack([np.sin(1.3 * i + 0.2), np.cos(0.7 * i * i % 7.0)], 1)
y = np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + 0.1 * x[:, 0] * x[:, 1]
z = np.array([[0.1, -0.3], [0.9, 0.9], [-0.5, 0.2], [2.0, 2.0]])
beta, b, nugget = np.array([0.8, 0.5]), np.array([0.9, 0.6]), 1e-4

curves = {
    "gaussian": lambda r: np.exp(-r * r / 2),
    "matern52": lambda r: (1 + 5**0.5 * r + 5 * r * r / 3) * np.exp(-(5**0.5) * r),
    "matern32": lambda r: (1 + 3**0.5 * r) * np.exp(-(3**0.5) * r),
    "matern12": lambda r: np.exp(-r),
}


def correlations(a, c, curve, weights):
    out = np.ones((len(a), len(c)))
    for l in range(d):
        out *= 1 - weights[l] + weights[l] * curve(np.abs(a[:, [l]] - c[:, l]) * beta[l])
    return out


def solve(name, weights):
    k = correlations(x, x, curves[name], weights) + nugget * np.eye(n)
    h = np.ones((n, 1))
    ki = np.linalg.inv(k)
    p = ki - ki @ h @ np.linalg.inv(h.T @ ki @ h) @ h.T @ ki
    s2 = y @ p @ y
    variance = s2 / (n - 1)
    coefficient = np.linalg.solve(h.T @ ki @ h, h.T @ ki @ y)
    r = correlations(z, x, curves[name], weights)
    mean = coefficient[0] + r @ ki @ (y - coefficient[0])
    u = 1 - r @ ki @ h[:, 0]
    var = variance * (1 - np.einsum("ij,jk,ik->i", r, ki, r) + u * u / (h.T @ ki @ h)[0, 0])
    # restricted likelihood, without constants and without the prior
    value = 0.5 * (np.linalg.slogdet(k)[1] + np.log((h.T @ ki @ h)[0, 0]) + (n - 1) * np.log(s2))
    t = n ** (-1 / d) * ((x.max(0) - x.min(0)) @ beta) + nugget
    prior = n ** (-1 / d) * (0.2 + d) * t - 0.2 * np.log(t)
    logits = np.log(weights / (1 - weights)) if np.all(weights < 1) else np.zeros(d)
    return {
        "value": value + prior + (logits**2).sum() / 18,
        "variance": variance,
        "mean": mean.tolist(),
        "latentVariance": var.tolist(),
        "looMean": (y - p @ y / np.diag(p))[:3].tolist(),
        "looVariance": (variance / np.diag(p))[:3].tolist(),
    }


golden = {
    "x": x.ravel().tolist(),
    "y": y.tolist(),
    "z": z.ravel().tolist(),
    "beta": beta.tolist(),
    "weights": b.tolist(),
    "nugget": nugget,
    "product": {name: solve(name, np.ones(d)) for name in curves},
    "anova": {name: solve(name, b) for name in curves},
}
print(json.dumps(golden, indent=1))
