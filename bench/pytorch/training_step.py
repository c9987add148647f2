"""The PyTorch side of bench/training-step.ts: eager mode, one thread, the same networks, data and first weights.

Reads one JSON request per line on stdin, `{"case": "mlp", "steps": 200}`, trains that many more steps, and answers
with `{"ms": milliseconds per step, "loss": loss of the last step}`. A first line says which PyTorch this is.
"""

import json
import math
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
BATCH, INPUTS, BATCHES = 32, 5, 16
LR, BETAS, EPS = 1e-3, (0.9, 0.999), 1e-8


def wave(count, seed):
    """The numbers that the other side makes too: uniform on [-1, 1], from a plain formula."""
    out = []
    for i in range(count):
        y = math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453
        out.append(2 * (y - math.floor(y)) - 1)
    return torch.tensor(out, dtype=torch.float64)


def fill(module, member):
    """First weights: uniform within sqrt(1 / fan-in), biases zero, matrices stored as inputs x outputs."""
    index = 0
    with torch.no_grad():
        for p in module.parameters():
            if p.dim() == 1:
                p.zero_()
                continue
            fan_in = p[0].numel()
            values = wave(p.numel(), 1000 * member + index) / math.sqrt(fan_in)
            p.copy_(values.reshape(p.shape) if p.dim() == 3 else values.reshape(p.shape[::-1]).T)
            index += 1


def mlp():
    layers = [nn.Linear(INPUTS, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 1))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(INPUTS, 32 * 32)
        self.convs = nn.ModuleList(nn.Conv1d(32, 32, 3, padding=1) for _ in range(8))
        self.head = nn.Conv1d(32, 1, 1)

    def forward(self, x):
        h = nn.functional.interpolate(self.stem(x).reshape(-1, 32, 32), scale_factor=8)
        for conv in self.convs:
            h = torch.relu(conv(h))
        return self.head(h)


def trainer(make, shape, members=1):
    """Returns a function that trains all members one more step and gives the sum of their losses."""
    nets = [make() for _ in range(members)]
    for member, net in enumerate(nets):
        fill(net, member)
    optimisers = [torch.optim.Adam(net.parameters(), lr=LR, betas=BETAS, eps=EPS) for net in nets]
    size = members * BATCH
    xs = [wave(size * INPUTS, 7 + 2 * k).float().reshape(members, BATCH, INPUTS) for k in range(BATCHES)]
    ys = [wave(size * math.prod(shape), 8 + 2 * k).float().reshape(members, BATCH, *shape) for k in range(BATCHES)]
    done = 0

    def step():
        nonlocal done
        x, y = xs[done % BATCHES], ys[done % BATCHES]
        losses = []
        for member, (net, optimiser) in enumerate(zip(nets, optimisers)):
            optimiser.zero_grad(set_to_none=True)
            loss = nn.functional.mse_loss(net(x[member]), y[member])
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
        done += 1
        return losses

    return step


CASES = {
    "mlp": lambda: trainer(mlp, (1,)),
    "members": lambda: trainer(mlp, (1,), members=8),
    "decoder": lambda: trainer(Decoder, (1, 256)),
}


def main():
    print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
    steppers = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["case"]
        if name not in steppers:
            steppers[name] = CASES[name]()
        step = steppers[name]
        losses = []
        start = time.perf_counter()
        for _ in range(request["steps"]):
            losses = step()
        ms = (time.perf_counter() - start) * 1e3 / request["steps"]
        print(json.dumps({"ms": ms, "loss": float(sum(losses))}), flush=True)


main()
