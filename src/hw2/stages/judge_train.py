"""Train the judge on the real images of the train split and measure it on the test split."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from hw2 import rng
from hw2.config import params
from hw2.digits import arrays
from hw2.digits.augment import affine
from hw2.evaluation.judge import Judge, load_course_classifier, load_judge, save_judge
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.models.judge import DigitNet
from hw2.pixels import from_uint8
from hw2.runtime.device import one_thread
from hw2.training.batch_sampler import BatchSampler
from hw2.training.equal_shares import equal_shares
from hw2.training.loop import Numbers, finite, train
from hw2.training.optimizers import ScheduledOptimizers
from hw2.training.resume import Resume
from hw2.training.session import Session


def run(
    judge: params.Judge,
    *,
    digits_arrays: Path,
    judge_model: Path,
    judge_details: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the judge to `judge_model` and its accuracies on real images to `judge_details`."""
    course = (
        load_course_classifier(Path(judge.course_classifier)) if judge.course_classifier else None
    )
    identity = {
        "judge": judge.model_dump(mode="json", exclude={"course_classifier"}),
        "data": arrays.fingerprint(digits_arrays, arrays.domains(digits_arrays), "train"),
    }
    with Session(checkpoints) as session:
        network = _train(judge, digits_arrays, session.resume(identity), device)
        with atomic_dir(judge_model) as folder:
            save_judge(folder, network, course)
        files.write_metrics(judge_details, _measure(load_judge(judge_model, device), digits_arrays))


def _train(judge: params.Judge, packed: Path, resume: Resume, device: torch.device) -> DigitNet:
    splits = [arrays.load(packed, domain, "train") for domain in arrays.domains(packed)]
    images = np.concatenate([split.rgb for split in splits])
    digits = torch.from_numpy(np.concatenate([split.digits for split in splits]))
    epoch = equal_shares([len(split.digits) for split in splits])
    sampler = BatchSampler(len(epoch), judge.seed)
    with rng.seeded_init(judge.seed, "initial weights"):
        network = DigitNet().to(device).to(memory_format=torch.channels_last)
    adamw = torch.optim.AdamW(network.parameters(), weight_decay=judge.weight_decay)
    optimizer = ScheduledOptimizers([(adamw, judge.lr)])
    hint = "lower judge.lr"

    def advance(step: int) -> Numbers:
        rows = epoch[sampler.batch(step, judge.batch)]
        # Augmented, because generated digits are less well centered than real ones, and the
        # handwriting of the test split is new.
        augmentations = rng.torch_rng(judge.seed, "augmentations", step)
        x = affine(from_uint8(images[rows]).to(device, non_blocking=True), augmentations)
        x = x.contiguous(memory_format=torch.channels_last)
        torch.manual_seed(rng.derive(judge.seed, "dropout", step))
        truth = digits[rows].to(device, non_blocking=True)
        loss = F.cross_entropy(network(x), truth, label_smoothing=0.05)
        value = finite(loss.detach(), step, hint)
        adamw.zero_grad()
        loss.backward()
        optimizer.step(_one_cycle((step + 1) / judge.steps))
        return {"loss": value}

    with one_thread():  # not in microbatches, because BatchNorm measures the whole batch
        train(
            advance,
            {"network": network, "optimizer": optimizer},
            steps=judge.steps,
            resume=resume,
            save_every=200,
            desc="judge",
            hint=hint,
        )
    return network


def _one_cycle(progress: float) -> float:
    """Factor of the peak rate: linear warm-up over the first third, then linear to zero."""
    return min(3 * progress, 1.5 * (1 - progress))


def _measure(judge: Judge, packed: Path) -> dict[str, object]:
    """The judge's accuracy on the real images of the test split, by domain."""
    measured: dict[str, object] = {}
    for domain in arrays.domains(packed):
        test = arrays.load(packed, domain, "test")
        measured[domain] = judge.accuracy(test.rgb, test.digits, domain).named("accuracy")
    return measured
