"""The formulas for GPU memory, against what the networks keep for the backward pass."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hw2.commands import gpu_memory
from hw2.config import params
from hw2.models.unet import UNet


def kept(forward: Callable[[], Tensor]) -> int:
    """Bytes of the distinct storages that a forward pass keeps, also on the device `meta`."""
    storages: dict[int, int] = {}
    tensors = []  # kept alive, so that no storage gets the address of an earlier one

    def pack(tensor: Tensor) -> Tensor:
        tensors.append(tensor)
        storage = tensor.untyped_storage()
        storages[storage._cdata] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        forward()
    return sum(storages.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"base_channels": 32, "channel_mult": (1, 2), "num_res_blocks": 1, "patch_size": 2},
        {"base_channels": 128, "channel_mult": (1, 2, 2), "num_res_blocks": 2, "patch_size": 1},
    ],
    ids=["demo", "course"],
)
def test_the_ddpm_s_memory(mini: params.Params, changes: dict[str, object]) -> None:
    shape = mini.ddpm.network.model_copy(update=changes)
    with torch.device("meta"):
        network = UNet(num_labels=20, **changes)  # type: ignore[arg-type]
        weights = sum(p.numel() for p in network.parameters())

        def of(images: int) -> int:
            t = torch.zeros(images, dtype=torch.long)
            return kept(lambda: network(torch.zeros(images, 3, 28, 28), t, t))

        assert gpu_memory.ddpm_kept(shape) == pytest.approx((of(6) - of(2)) / 4, rel=0.15)
    assert gpu_memory.ddpm_weights(shape) == pytest.approx(weights, rel=0.3)


@pytest.mark.slow  # importing diffusers
def test_the_memory_of_stable_diffusion_v1() -> None:
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        network = UNet2DConditionModel(
            sample_size=64, cross_attention_dim=768, attention_head_dim=8,
            block_out_channels=(320, 640, 1280, 1280),
        )  # fmt: skip
        weights = sum(p.numel() for p in network.parameters())
        network.requires_grad_(False).to(torch.bfloat16)

        def of(images: int) -> int:
            text = torch.zeros(images, 77, 768, dtype=torch.bfloat16, requires_grad=True)
            latents = torch.zeros(images, 4, 64, 64, dtype=torch.bfloat16)
            t = torch.zeros(images, dtype=torch.long)
            return kept(lambda: network(latents, t, text).sample)

        assert (of(2) - of(1)) == pytest.approx(gpu_memory.SD_KEPT, rel=0.05)
    assert weights < gpu_memory.SD_FROZEN_WEIGHTS < 1.15 * weights


def test_needs_follow_the_batch_and_the_stages(mini: params.Params) -> None:
    assert list(gpu_memory.needs(mini, ["headline", "ddpm_train"])) == ["ddpm_train"]
    assert gpu_memory.needs(mini, ["personalization_train"]) == {}  # the small model
    v1 = mini.stable_diffusion.model_copy(update={"weights": "owner/model", "precision": "bf16"})
    larger = mini.ddpm.train.model_copy(update={"batch_size": 512})
    changed = mini.model_copy(
        update={
            "stable_diffusion": v1,
            "ddpm": mini.ddpm.model_copy(update={"train": larger}),
        }
    )
    before, after = (gpu_memory.needs(p, ["ddpm_train"])["ddpm_train"] for p in (mini, changed))
    parts = mini.ddpm.train.microbatches
    images = 512 // parts - mini.ddpm.train.batch_size // parts
    assert after - before == images * gpu_memory.ddpm_kept(mini.ddpm.network)
    assert gpu_memory.needs(changed, ["personalization_train"])["personalization_train"] > 5e9


@pytest.mark.parametrize("microbatches", [1, 2, 4])
def test_the_documented_memory_of_inversion(mini: params.Params, microbatches: int) -> None:
    v1 = mini.stable_diffusion.model_copy(update={"precision": "auto"})

    def gigabytes(checkpointing: bool) -> str:
        changes = {
            "batch_size": 4,
            "microbatches": microbatches,
            "gradient_checkpointing": checkpointing,
        }
        train = mini.personalization.train.model_copy(update=changes)
        personalization = mini.personalization.model_copy(update={"train": train})
        settings = mini.model_copy(
            update={"stable_diffusion": v1, "personalization": personalization}
        )
        return f"{gpu_memory.inversion(settings) / 1e9:.1f}"

    row = f"| {microbatches} | {gigabytes(False)} | {gigabytes(True)} |"
    documented = (Path(__file__).parents[2] / "docs" / "real-data.md").read_text(encoding="utf-8")
    assert row in documented
