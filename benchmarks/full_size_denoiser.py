"""Compare the training of the course's full-size network with that of the small one, on a CPU.

    python benchmarks/full_size_denoiser.py --steps 300

It needs `data/arrays` with MNIST-M (`dvc repro digits_pack`). Both networks are trained by the
recipe of profile `course`, with the same images, noises and timesteps at each step, and a batch
that a CPU can bear; the small network is that of profile `course_cpu`. If interrupted, it goes on
where it stopped. It prints the cost of a step, of one thread, and draws the loss of both.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import matplotlib
import torch
from gpu_workloads import parameters
from matplotlib.figure import Figure
from scipy.ndimage import uniform_filter1d

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.train import identity, train_ddpm
from hw2.training.resume import Resume

ARRAYS, CHECKPOINTS = Path("data/arrays"), Path("checkpoints/full_size_denoiser")
CPU = torch.device("cpu")
SMOOTHED = 10  # rows of the history, of which there are at most 200
NETWORKS = {"small": ("course_cpu", "#0072b2"), "full size": ("course", "#d55e00")}


def recipe(network: params.Network, steps: int, batch_size: int) -> params.Ddpm:
    """The recipe of profile `course` on MNIST-M, with this network and a budget for a CPU."""
    values = parameters("course").ddpm.model_dump()
    values["domains"] = ["mnistm"]
    values["network"] = network.model_dump()
    values["train"] |= {
        "steps": steps,
        "batch_size": batch_size,
        "warmup_steps": steps // 10,
        "save_every": max(1, steps // 20),
        "ema_decay": 0.9,
    }
    return params.Ddpm.model_validate(values)


def seconds_per_step(ddpm: params.Ddpm, steps: int) -> float:
    """Processor seconds of a training step, without what a training does once."""
    taken = []
    for count in (1, 1 + steps):
        short = ddpm.model_copy(update={"train": ddpm.train.model_copy(update={"steps": count})})
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            train_ddpm(short, ARRAYS, Resume(folder, {}), CPU)
        taken.append(time.process_time() - start)
    return (taken[1] - taken[0]) / steps


def draw(history: dict[str, list[dict[str, float]]], target: Path) -> None:
    """Draw the loss of both networks by step."""
    fig = Figure(figsize=(6, 3.4), layout="constrained")
    ax = fig.subplots()
    for name, rows in history.items():
        steps, losses = ([row[key] for row in rows] for key in ("step", "loss"))
        ax.plot(steps, losses, color=NETWORKS[name][1], alpha=0.25, lw=0.8)
        ax.plot(steps, uniform_filter1d(losses, SMOOTHED), color=NETWORKS[name][1], label=name)
    ax.set_yscale("log")
    for set_formatter in (ax.yaxis.set_major_formatter, ax.yaxis.set_minor_formatter):
        set_formatter("{x:g}")
    ax.set(xlabel="step", ylabel="training loss", title="MNIST-M, the same batches")
    ax.legend(title="network", frameon=False)
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hw2"}):
        fig.savefig(target, format="svg", metadata={"Date": None, "Creator": None})


def main() -> None:
    """Train both networks, print their cost and loss as JSON, and draw the loss."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--timed-steps", type=int, default=4)
    parser.add_argument("--figure", type=Path, default=Path("docs/full-size-loss.svg"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    history, measured = {}, {}
    for name, (profile, _) in NETWORKS.items():
        ddpm = recipe(parameters(profile).ddpm.network, options.steps, options.batch_size)
        network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps)
        resume = Resume(CHECKPOINTS / profile, identity(ddpm, ARRAYS))
        _, history[name] = train_ddpm(ddpm, ARRAYS, resume, CPU)
        last = history[name][-max(1, len(history[name]) // 10) :]
        measured[name] = {
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "seconds_per_step": round(seconds_per_step(ddpm, options.timed_steps), 3),
            "loss_of_last_tenth": round(sum(row["loss"] for row in last) / len(last), 4),
        }
        print(json.dumps({name: measured[name]}), flush=True)
    draw(history, options.figure)


if __name__ == "__main__":
    main()
