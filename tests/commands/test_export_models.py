"""Exported models: stock libraries load them, and the pipeline takes them as weights."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import without_hw2
from safetensors.torch import load_file

from hw2.clip import open_clip_folder, weights
from hw2.clip import train as clip_training
from hw2.commands import export_models
from hw2.config import params
from hw2.faces import load as faces
from hw2.faces import model as face_models
from hw2.faces import train as faces_training
from hw2.io import files, manifest
from hw2.personalization import shape_judges, synthetic, tokens
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import autoencoder, load, text_encoder
from hw2.stable_diffusion import train as stable_diffusion_training

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
ROOT = Path(__file__).resolve().parents[2]
SHARE = {"n": 48}
for name in ("acc1", "alignment", "distance", "diversity", "recall", "specificity"):
    SHARE |= {name: 0.9, f"{name}_low": 0.8, f"{name}_high": 0.95}


def untrained(mini: params.Params, folder: Path) -> SimpleNamespace:
    """The artifacts of stages, with models of initial weights and metrics of any value."""
    artifacts = SimpleNamespace(
        clip_model=folder / "clip",
        stable_diffusion_model=folder / "sd",
        faces_model=folder / "faces.safetensors",
        clip_details=folder / "clip.json",
        personalization_details=folder / "personalization.json",
        faces_details=folder / "faces.json",
        shape_judges=folder / "judges",
    )
    design = open_clip_folder.design(mini.clip.network, mini.shapes)
    artifacts.clip_model.mkdir()
    network = clip_training._new_network(mini.clip, design, CPU)
    open_clip_folder.save(artifacts.clip_model, network, design)
    encoder, tokenizer = text_encoder.convert(artifacts.clip_model)
    settings = mini.stable_diffusion
    codec = autoencoder.new_autoencoder(settings.autoencoder, settings.seed)
    side = mini.shapes.image_size // 4
    latents = (1, settings.autoencoder.latent_channels, side, side)
    unet = stable_diffusion_training._new_unet(settings, latents, encoder.config.hidden_size)
    pipe = stable_diffusion_training.assemble(codec, encoder, tokenizer, unet)
    pipe.save_pretrained(artifacts.stable_diffusion_model)
    blueprint = faces_training.blueprint(mini.faces)
    face_models.save(
        artifacts.faces_model,
        blueprint,
        blueprint.build().state_dict(),
        faces_training.levels(mini.faces),
    )
    clip_scores = {mini.clip.zero_shot.report_prompts: SHARE | {"groups": {"unseen pairs": SHARE}}}
    model = mini.clip.zero_shot.models[0].name
    files.write_json(artifacts.clip_details, {model: clip_scores})
    alignment = dict.fromkeys(("sampled", "unseen", "real"), SHARE)
    of_judge = {key: {"recall": SHARE, "specificity": SHARE} for key in synthetic.KEYS}
    record = {"stable_diffusion": alignment, "judge": of_judge}
    files.write_json(artifacts.personalization_details, record)
    judges = shape_judges.obtain(mini.personalization.judges, mini.shapes, 1)
    artifacts.shape_judges.mkdir()
    shape_judges.save(artifacts.shape_judges, judges)
    files.write_json(artifacts.faces_details, {"eta": {"0": SHARE, "1": SHARE}})
    return artifacts


@pytest.fixture(scope="module")
def exported(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    artifacts: Any = untrained(mini, tmp_path_factory.mktemp("trained"))
    out = tmp_path_factory.mktemp("exported")
    folders = export_models.run(mini, artifacts, out)
    assert folders == [out / name for name in ("clip", "stable-diffusion", "faces", "shape-judges")]
    return out


def test_weights_are_in_half_precision_and_listed(exported: Path) -> None:
    files_of_weights = list(exported.rglob("*.safetensors"))
    assert len(files_of_weights) == 7
    for path in files_of_weights:
        kinds = {value.dtype for value in load_file(path).values() if value.is_floating_point()}
        assert kinds == {torch.float16}
    for folder in exported.iterdir():
        manifest.check(folder)


def test_no_file_names_the_folder_that_a_model_came_from(exported: Path) -> None:
    for path in exported.rglob("*.json"):
        assert "_name_or_path" not in path.read_text(), path


def test_cards_hold_the_recipe_and_the_metrics(exported: Path, mini: params.Params) -> None:
    for name in ("clip", "stable-diffusion", "faces", "shape-judges"):
        card = (exported / name / "README.md").read_text()
        assert "0.900 | 0.800 to 0.950 | 48 |" in card
        assert "make pretrained" in card
        assert '"seed":' in card
        assert card.startswith("---\nlicense: mit\n")
    assert f'"num_nouns": {mini.shapes.num_nouns}' in (exported / "clip/README.md").read_text()


def test_the_pipeline_takes_exported_models_as_weights(
    exported: Path, mini: params.Params, tmp_path: Path
) -> None:
    clip = params.ClipModel(
        name="x", weights=str(exported / "clip"), architecture=None, revision=None, sha256=None
    )
    assert weights.locate(clip, tmp_path).weights.parent == exported / "clip"
    settings = mini.stable_diffusion.model_copy(
        update={"weights": str(exported / "stable-diffusion")}
    )
    assert load.image_size(load.load(settings, tmp_path, CPU)) == mini.shapes.image_size
    model = faces.load(str(exported / "faces"), CPU)
    assert (model.size, model.prediction) == (
        mini.faces.image_size, mini.faces.diffusion.prediction,
    )  # fmt: skip
    expected = faces_training.levels(mini.faces).abar
    assert torch.allclose(model.schedule.abar, expected, atol=1e-6)
    given = mini.personalization.judges.model_copy(
        update={"weights": str(exported / "shape-judges")}
    )
    assert shape_judges.obtain(given, mini.shapes, 1).image_size == mini.shapes.image_size


def test_a_changed_file_is_refused_by_all_readers(
    mini: params.Params, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    artifacts: Any = untrained(mini, tmp_path_factory.mktemp("trained"))
    export_models.run(mini, artifacts, tmp_path)
    for folder in tmp_path.iterdir():
        (folder / manifest.NAME).write_text("0" * 64 + "  config.json\n")
    clip = params.ClipModel(
        name="x", weights=str(tmp_path / "clip"), architecture=None, revision=None, sha256=None
    )
    settings = mini.stable_diffusion.model_copy(
        update={"weights": str(tmp_path / "stable-diffusion")}
    )
    given = mini.personalization.judges.model_copy(
        update={"weights": str(tmp_path / "shape-judges")}
    )
    for read in (
        lambda: weights.locate(clip, tmp_path),
        lambda: load.load(settings, tmp_path, CPU),
        lambda: faces.load(str(tmp_path / "faces"), CPU),
        lambda: shape_judges.obtain(given, mini.shapes, 1),
    ):
        with pytest.raises(UserError, match=manifest.NAME) as caught:
            read()
        assert "\n" not in str(caught.value)


def test_models_that_were_not_trained_are_not_exported(mini: params.Params, tmp_path: Path) -> None:
    given = mini.model_copy(update={"clip": mini.clip.model_copy(update={"run": False})})
    with pytest.raises(UserError, match=r"clip.run: profile mini trains no such model"):
        export_models.run(given, SimpleNamespace(), tmp_path)  # type: ignore[arg-type]


def test_found_12_stock_libraries_load_the_models_of_the_repository_and_exported_ones(
    exported: Path, tmp_path: Path
) -> None:
    """The repository's with an embedding, as textual inversion writes it."""
    given = ROOT / "data/pretrained"
    for model in given.iterdir():
        manifest.check(model)
    config = files.read_json(given / "stable-diffusion/text_encoder/config.json")
    embedding = tmp_path / "0.safetensors"
    tokens.save(embedding, "<new1>", torch.zeros(1, config["hidden_size"]))
    script = ROOT / "tests/commands/stock.py"
    without_hw2.run(script, tmp_path, str(embedding), str(given), str(exported))
