"""The PyTorch side of bench/query-latency.ts: the same networks, scaling, mean, standard deviation and interval.

The first line on stdin describes the networks: `{"inputs", "outputs", "nodes", "members": [{"width", "edges": [{"from",
"to", "op"}]}]}`; the answer says which PyTorch this is. Every other line is a request, `{"mode": "eager", "rows": 1000,
"repeats": 20}`, answered with the milliseconds of each repeat. `traced` is the same module, traced and frozen.
"""

import json
import math
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
ACTIVATIONS = {"tanh": torch.tanh, "silu": nn.functional.silu, "sin": torch.sin, "relu": torch.relu}


class Member(nn.Module):
    """Node rule y_v = y_{v-1} + (operations into v + bias_v) / sqrt(live connections into v)."""

    def __init__(self, inputs, outputs, nodes, width, edges):
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.into = [[e for e in edges if e["to"] == v] for v in range(1, nodes + 1)]
        dense = [sum(e["op"] != "identity" for e in into) for into in self.into]
        self.maps = nn.ModuleList(nn.Linear(width * d, width) if d else nn.Identity() for d in dense)
        self.bias = nn.Parameter(torch.zeros(nodes, width))
        self.head = nn.Linear(width, outputs)
        self.trend = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x):
        y = [self.stem(x)]
        for v, into in enumerate(self.into):
            if not into:
                y.append(y[-1])
                continue
            features = [ACTIVATIONS[e["op"]](y[e["from"]]) for e in into if e["op"] != "identity"]
            parts = [y[e["from"]] for e in into if e["op"] == "identity"]
            if features:
                parts.append(self.maps[v](torch.cat(features, 1) if len(features) > 1 else features[0]))
            else:
                parts.append(self.bias[v])
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            y.append(y[-1] + total * (1 / math.sqrt(len(into))))
        return self.head(y[-1]) + self.trend(x)


class Emulator(nn.Module):
    """From inputs to mean, standard deviation and interval, all float64 in physical units."""

    def __init__(self, inputs, outputs, nodes, members):
        super().__init__()
        self.members = nn.ModuleList(Member(inputs, outputs, nodes, m["width"], m["edges"]) for m in members)
        for name, size in (("x_mean", inputs), ("x_std", inputs), ("y_mean", outputs), ("y_std", outputs)):
            self.register_buffer(name, torch.full((size,), 0.5, dtype=torch.float64))
        self.register_buffer("floor", torch.full((outputs,), 1e-4, dtype=torch.float64))

    def forward(self, x):
        z = ((x - self.x_mean) / self.x_std).float()
        each = torch.stack([member(z) for member in self.members]).double()
        mean = each.mean(0) * self.y_std + self.y_mean
        std = torch.sqrt(each.var(0) + self.floor) * self.y_std
        half = 1.96 * std
        return mean, std, mean - half, mean + half


def main():
    asked = json.loads(sys.stdin.readline())
    emulator = Emulator(asked["inputs"], asked["outputs"], asked["nodes"], asked["members"]).eval()
    example = torch.rand(4, asked["inputs"], dtype=torch.float64)
    modes = {"eager": emulator, "traced": torch.jit.freeze(torch.jit.trace(emulator, example))}
    print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        query = modes[request["mode"]]
        x = torch.rand(request["rows"], asked["inputs"], dtype=torch.float64).numpy()
        times = []
        for _ in range(request["repeats"]):
            started = time.perf_counter()
            [part.numpy() for part in query(torch.from_numpy(x))]
            times.append(1e3 * (time.perf_counter() - started))
        print(json.dumps(times), flush=True)


with torch.no_grad():
    main()
