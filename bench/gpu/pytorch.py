"""The same network in eager PyTorch: `python3 pytorch.py ORDER`, a row of JSON for each figure.

The graph is that of the ONNX file: ResNet50 version 1, which strides in the first 1x1 convolution of a stage, batch
normalisation folded into the convolutions. That is less work than a model from torchvision in eval mode, whose batch
normalisations are kernels of their own. Two figures for each batch: "resident", the input is on the GPU and the vectors
stay there; "copied", from pinned memory and back. Of the memory formats the faster one is told.
"""

import json
import statistics
import sys
import time

order = json.loads(sys.argv[1])

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(f"{sys.executable} has no PyTorch (module torch); --python names one that has")

device = order["device"]
if device == "cuda" and not torch.cuda.is_available():
    sys.exit(f"PyTorch {torch.__version__} finds no CUDA device")


def say(**line):
    print(json.dumps(line), flush=True)


class Bottleneck(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 1, stride)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1)
        self.conv3 = nn.Conv2d(filters, 4 * filters, 1)
        projected = stride != 1 or channels != 4 * filters
        self.shortcut = nn.Conv2d(channels, 4 * filters, 1, stride) if projected else None
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.relu(self.conv1(x))
        y = self.relu(self.conv2(y))
        y = self.conv3(y)
        y += x if self.shortcut is None else self.shortcut(x)
        return self.relu(y)


def network():
    stem = order["stemFilters"]
    layers = [nn.Conv2d(3, stem, 7, 2, 3), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    channels = stem
    for stage, (count, filters) in enumerate(zip(order["blocks"], order["filters"])):
        for block in range(count):
            layers.append(Bottleneck(channels, filters, 2 if block == 0 and stage > 0 else 1))
            channels = 4 * filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


def synchronize():
    if device == "cuda":
        torch.cuda.synchronize()


def milliseconds(run):
    """Of single runs, each waited for, for so many seconds; and the rate when nothing waits until the end."""
    for _ in range(5):
        run()
    synchronize()
    single = []
    end = time.perf_counter() + order["seconds"] / 2
    while time.perf_counter() < end or len(single) < 5:
        begun = time.perf_counter()
        run()
        synchronize()
        single.append(1000 * (time.perf_counter() - begun))
    count = max(5, int(1000 * order["seconds"] / 2 / statistics.median(single)))
    return single, together(run, count)


def together(run, count):
    """Milliseconds a run, of so many handed over one behind the other; on a GPU by its own clock."""
    if device != "cuda":
        begun = time.perf_counter()
        for _ in range(count):
            run()
        return 1000 * (time.perf_counter() - begun) / count
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(count):
        run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / count


def figures(kind, batch, run):
    single, each = milliseconds(run)
    ordered = sorted(single)
    times = {
        "runs": len(single),
        "median": statistics.median(single),
        "p95": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        "least": ordered[0],
    }
    return {"kind": kind, "batch": batch, "imagesPerSecond": 1000 * batch / each, "ms": times}


def measure(model, dtype, layout, batch):
    model = model.to(memory_format=layout)
    host = torch.randn(batch, 3, order["side"], order["side"])
    if device == "cuda":
        host = host.pin_memory()
    resident = host.to(device, dtype).contiguous(memory_format=layout)

    def copied():
        x = host.to(device, non_blocking=True).to(dtype).contiguous(memory_format=layout)
        return model(x).float().cpu()

    return [
        figures("resident", batch, lambda: model(resident)),
        figures("copied", batch, copied),
    ]


def faster(one, other):
    return {
        **(one if one["imagesPerSecond"] >= other["imagesPerSecond"] else other),
        # The latency may be better in the other memory format.
        "ms": min(one["ms"], other["ms"], key=lambda times: times["median"]),
    }


def main():
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    name = torch.cuda.get_device_name(0) if device == "cuda" else "the CPU"
    cudnn = torch.backends.cudnn.version()
    say(machine={"PyTorch": f"{torch.__version__}, cuDNN {cudnn}, eager, on {name}"})
    variants = [("fp32", torch.float32, False), ("tf32", torch.float32, True)]
    # On the CPU half precision has no convolutions.
    variants += [("fp16", torch.float16, True)] if device == "cuda" else []
    for variant, dtype, tf32 in variants:
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
        model = network().to(device, dtype)
        for batch in order["batches"]:
            try:
                plain = measure(model, dtype, torch.contiguous_format, batch)
                last = measure(model, dtype, torch.channels_last, batch)
            except RuntimeError as error:
                say(trouble=f"{variant}, batch {batch}: {str(error).splitlines()[0]}")
                continue
            for one, other in zip(plain, last):
                say(row={"part": "pytorch", "variant": variant, **faster(one, other)})


with torch.inference_mode():
    main()
