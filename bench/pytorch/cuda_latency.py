"""Seconds of a call on CUDA of each DIR/0.onnx, 1.onnx, ...: in PyTorch, operation by operation ("eager") and as a recorded
graph ("graph"), input from the host and results back to it. Prints {"eager": {"1": [...], "256": [...]}, "graph": {...}}.

    python3 bench/pytorch/cuda_latency.py DIR [BATCH ...] > times.json

Needs torch and onnx. Operations are those of Condense's networks.
"""

import json
import os
import sys
import time

import numpy
import onnx
import torch
from onnx import numpy_helper

unary = {"Tanh": torch.tanh, "Sigmoid": torch.sigmoid, "Relu": torch.relu, "Sin": torch.sin, "Cos": torch.cos,
         "Exp": torch.exp, "Neg": torch.neg, "Sqrt": torch.sqrt, "Abs": torch.abs, "Log": torch.log, "Erf": torch.erf,
         "Identity": lambda x: x, "Softplus": torch.nn.functional.softplus}
binary = {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "MatMul": torch.matmul}


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def compile_node(node, constants):
    """A function of the values so far that returns the node's result."""
    op, names, attrs = node.op_type, list(node.input), attributes(node)
    ints = {name: value.tolist() for name, value in constants.items() if value.dtype == torch.int64}
    if op in unary:
        return lambda v: unary[op](v[names[0]])
    if op in binary:
        return lambda v: binary[op](v[names[0]], v[names[1]])
    if op == "Concat":
        return lambda v: torch.cat([v[n] for n in names], attrs["axis"])
    if op == "Transpose":
        return lambda v: v[names[0]].permute(attrs["perm"])
    if op == "Reshape":
        shape = ints[names[1]]
        def reshape(v):
            x = v[names[0]]
            return x.reshape([x.shape[i] if s == 0 else s for i, s in enumerate(shape)])
        return reshape
    if op == "Slice":
        starts, ends = ints[names[1]], ints[names[2]]
        axes = ints[names[3]] if len(names) > 3 and names[3] else list(range(len(starts)))
        def cut(v):
            x = v[names[0]]
            for start, end, axis in zip(starts, ends, axes):
                x = x.narrow(axis, start, min(end, x.shape[axis]) - start)
            return x
        return cut
    if op == "Split":
        sizes = ints[names[1]]
        return lambda v: torch.split(v[names[0]], sizes, attrs.get("axis", 0))
    if op == "Gemm":
        a = lambda v: v[names[0]].T if attrs.get("transA") else v[names[0]]
        b = lambda v: v[names[1]].T if attrs.get("transB") else v[names[1]]
        return lambda v: torch.addmm(v[names[2]], a(v), b(v)) if len(names) > 2 else a(v) @ b(v)
    if op == "Conv":
        n = len(attrs["dilations"])
        pads = attrs.get("pads", [0] * (2 * n))
        assert pads[:n] == pads[n:], pads
        conv = torch.nn.functional.conv1d if n == 1 else torch.nn.functional.conv2d
        options = dict(padding=pads[:n], stride=attrs.get("strides", [1] * n), dilation=attrs.get("dilations", [1] * n),
                       groups=attrs.get("group", 1))
        return lambda v: conv(v[names[0]], v[names[1]], v[names[2]] if len(names) > 2 else None, **options)
    raise SystemExit(f"operation {op} is not known here")


def results(value, names):
    return {names[0]: value} if len(names) == 1 else dict(zip(names, value))


def load(path):
    graph = onnx.load(path).graph
    constants = {t.name: torch.from_numpy(numpy.array(numpy_helper.to_array(t))) for t in graph.initializer}
    on_device = {name: value.cuda() for name, value in constants.items() if value.dtype != torch.int64}
    steps = []
    for node in graph.node:
        step, outputs = compile_node(node, constants), list(node.output)
        if all(name in on_device or name in constants for name in node.input):
            on_device.update(results(step(on_device), outputs))
        else:
            steps.append((step, outputs))
    shape = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]
    outputs = [o.name for o in graph.output]

    def run(x):
        values = dict(on_device)
        values[graph.input[0].name] = x
        for step, names in steps:
            values.update(results(step(values), names))
        return [values[name] for name in outputs]

    return run, shape[1:]


def seconds(call):
    for _ in range(5):
        call()
    times, begun = [], time.perf_counter()
    while len(times) < 5 or (len(times) < 200 and time.perf_counter() - begun < 0.1):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(numpy.median(times))


def main():
    folder, batches = sys.argv[1], [int(b) for b in sys.argv[2:]] or [1, 256]
    count = len([f for f in os.listdir(folder) if f.endswith(".onnx")])
    found = {"eager": {b: [] for b in batches}, "graph": {b: [] for b in batches}}
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    with torch.no_grad():
        for i in range(count):
            run, shape = load(f"{folder}/{i}.onnx")
            for batch in batches:
                host = torch.rand([batch, *shape]).pin_memory()
                device = host.cuda()

                def eager():
                    device.copy_(host, non_blocking=True)
                    return [y.cpu() for y in run(device)]

                found["eager"][batch].append(seconds(eager))
                side = torch.cuda.Stream()
                with torch.cuda.stream(side):
                    run(device)
                torch.cuda.synchronize()
                recorded = torch.cuda.CUDAGraph()
                with torch.cuda.graph(recorded):
                    recorded_results = run(device)

                def replay():
                    device.copy_(host, non_blocking=True)
                    recorded.replay()
                    return [y.cpu() for y in recorded_results]

                found["graph"][batch].append(seconds(replay))
    print(json.dumps(found))


main()
