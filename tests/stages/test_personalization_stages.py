"""The stages of personalization with the mini profile, one on the outputs of the other."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from hw2 import cli
from hw2.commands import grade_personalization
from hw2.config import params, paths, profiles
from hw2.figures import personalization_records, report
from hw2.io import files
from hw2.personalization import grading, synthetic, tokens
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import load
from hw2.stages import (
    clip_train,
    personalization_compare,
    personalization_evaluate,
    personalization_fetch,
    personalization_sample,
    personalization_train,
    stable_diffusion_train,
)

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
ROUNDED = 1e-5  # metrics have six digits


def paths_in(folder: Path) -> SimpleNamespace:
    names = (
        *("clip", "model", "concepts", "embeddings", "images", "stored", "checkpoints"),
        *(
            "history.csv",
            "steps.csv",
            "table.csv",
            "snapshots.npz",
            "multi_concept.npz",
            "samples.npz",
        ),
        *("metrics.json", "input.json"),
    )
    return SimpleNamespace(**{name.partition(".")[0]: folder / name for name in names})


@pytest.fixture(scope="module")
def base(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The small CLIP, the small Stable Diffusion and the concepts."""
    at = paths_in(tmp_path_factory.mktemp("base"))
    clip_train.run(
        mini.clip,
        mini.shapes,
        clip_model=at.clip,
        clip_history=at.steps,
        checkpoints=at.checkpoints / "c",
        device=CPU,
    )
    stable_diffusion_train.run(
        mini.stable_diffusion,
        mini.shapes,
        clip_model=at.clip,
        stable_diffusion_model=at.model,
        stable_diffusion_history=at.history,
        checkpoints=at.checkpoints / "s",
        device=CPU,
    )
    personalization_fetch.run(
        mini.personalization, mini.shapes, personalization_concepts=at.concepts
    )
    return at


def learn(mini: params.Params, at: SimpleNamespace, base: SimpleNamespace) -> None:
    personalization_train.run(
        mini.stable_diffusion,
        mini.personalization,
        stable_diffusion_model=base.model,
        clip_model=base.clip,
        personalization_concepts=base.concepts,
        personalization_embeddings=at.embeddings,
        personalization_history=at.steps,
        personalization_snapshots=at.snapshots,
        personalization_prompts=at.input,
        checkpoints=at.checkpoints / "i",
        device=CPU,
    )


@pytest.fixture(scope="module")
def done(
    mini: params.Params, base: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    at = paths_in(tmp_path_factory.mktemp("done"))
    learn(mini, at, base)
    count = personalization_sample.run(
        mini.stable_diffusion,
        mini.personalization,
        stable_diffusion_model=base.model,
        personalization_embeddings=at.embeddings,
        personalization_prompts=at.input,
        personalization_images=at.images,
        device=CPU,
    )
    assert count == 100
    personalization_compare.run(
        mini.stable_diffusion,
        mini.personalization,
        mini.shapes,
        stable_diffusion_model=base.model,
        clip_model=base.clip,
        personalization_concepts=base.concepts,
        multi_concept_table=at.table,
        multi_concept_images=at.multi_concept,
        multi_concept_weights=at.stored,
        checkpoints=at.checkpoints / "m",
        device=CPU,
    )
    personalization_evaluate.run(
        mini.stable_diffusion,
        mini.personalization,
        mini.shapes,
        stable_diffusion_model=base.model,
        clip_model=base.clip,
        personalization_concepts=base.concepts,
        personalization_prompts=at.input,
        personalization_images=at.images,
        multi_concept_table=at.table,
        personalization_samples=at.samples,
        personalization_metrics=at.metrics,
        device=CPU,
    )
    return at


def test_the_model_is_a_diffusers_pipeline(base: SimpleNamespace) -> None:
    index = json.loads((base.model / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert index["vae"] == ["hw2.models.patch_codec", "PatchCodec"]
    assert index["unet"] == ["diffusers", "UNet2DConditionModel"]
    assert index["text_encoder"] == ["transformers", "CLIPTextModel"]
    assert [row["step"] for row in files.read_table(base.history)] == [1, 2, 3, 4]


def test_graded_images_have_the_course_s_names(done: SimpleNamespace) -> None:
    for key in ("0", "1"):
        for prompt in (0, 1):
            names = {path.name for path in (done.images / key / str(prompt)).iterdir()}
            assert names == {f"source{key}_prompt{prompt}_{n}.png" for n in range(25)}
    with Image.open(done.images / "0/1/source0_prompt1_24.png") as image:
        assert image.size == (32, 32)


def test_diffusers_reads_the_embeddings(
    mini: params.Params, base: SimpleNamespace, done: SimpleNamespace
) -> None:
    pipe = load.load(mini.stable_diffusion, base.model, CPU)
    before = pipe.text_encoder.get_input_embeddings().weight.detach().clone()
    pipe.load_textual_inversion(done.embeddings / "0.safetensors")
    table = pipe.text_encoder.get_input_embeddings().weight
    token_id = pipe.tokenizer.convert_tokens_to_ids("<new1>")
    assert torch.equal(table[token_id], tokens.read(done.embeddings / "0.safetensors")[1][0])
    assert torch.equal(table[: len(before)], before)


def test_the_table_has_rows_and_costs_of_every_method(
    mini: params.Params, done: SimpleNamespace
) -> None:
    rows = files.read_table(done.table)
    multi_concept = mini.personalization.multi_concept
    count = len(multi_concept.prompts) * multi_concept.images
    for method in multi_concept.methods:
        assert sum(row["method"] == method for row in rows) == count
    sizes = {row["method"]: row["bytes"] for row in rows}
    assert sizes["prompt_only"] == sizes["freecustom"] == 0
    assert 0 < sizes["separate"] == sizes["joint"] < sizes["custom_diffusion_joint"]
    trained = {row["method"]: row["trained"] for row in rows}
    batch_size = mini.personalization.train.batch_size
    steps = multi_concept.steps + multi_concept.finetune_steps
    assert trained["prompt_only"] == trained["freecustom"] == 0
    assert trained["separate"] == 2 * batch_size * steps
    sampled = {row["method"]: row["sampled"] for row in rows}
    passes = count * mini.personalization.sampling.steps
    assert sampled["prompt_only"] == sampled["joint"] == 2 * passes  # with and without the prompt
    references = 2 * mini.personalization.sampling.steps  # one of each concept, in the one batch
    assert sampled["freecustom"] == 2 * passes + references
    stored = {p.name for p in (done.stored / "custom_diffusion_merged").iterdir()}
    assert stored == {"0.safetensors", "2.safetensors", "keys_and_values.safetensors"}
    arrays = files.load_arrays(done.multi_concept)
    # the same noise and words: without references FreeCustom would be `prompt_only`
    assert not np.array_equal(arrays["freecustom"], arrays["prompt_only"])


def test_metrics_agree_with_the_grades(
    mini: params.Params, base: SimpleNamespace, done: SimpleNamespace
) -> None:
    record = files.read_json(done.metrics)
    cases = grade_personalization.run(
        mini.personalization,
        clip_model=base.clip,
        input_file=done.input,
        references=base.concepts,
        images=done.images,
        device=CPU,
    )
    for case in cases:
        grade = record["grades"][f"{case.key}/{case.prompt}"]
        assert (grade["image"], grade["text"]) == pytest.approx(case.scores, rel=ROUNDED)
    of_concept = [case.image for case in cases if case.key == "1"]
    assert record["concepts"]["1"]["image"] == pytest.approx(
        np.concatenate(of_concept).mean(), rel=ROUNDED
    )
    assert grading.table(cases).endswith(f"You have passed {record['grades']['passed']}/4 cases")


def test_baselines_are_the_initializer_s_validation_scores(
    base: SimpleNamespace, done: SimpleNamespace
) -> None:
    completed = json.loads(done.input.read_text())
    original = files.read_json(base.concepts / synthetic.INPUT)
    first = {row["concept"]: row for row in files.read_table(done.steps) if row["step"] == 0}
    for key, entry in completed.items():
        row = next(row for name, row in first.items() if str(name) == key)
        image, text = entry["baseline"][0]
        assert image == pytest.approx(row["image"], abs=0.051)
        assert text == pytest.approx(0.9 * row["text"], abs=0.051)
        assert entry == original[key] | {"baseline": [[image, text]] * 2}


def test_an_interrupted_comparison_resumes_to_the_same_bits(
    mini: params.Params,
    base: SimpleNamespace,
    done: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No output holds a run time either: DVC compares bytes."""
    from hw2.personalization import train as learning

    calls, real = [0], learning._backward
    at = paths_in(tmp_path)

    def interrupted(*arguments: object) -> float:
        calls[0] += 1
        if calls[0] == 7:  # the start has 2, separate 2, joint and custom_joint one each
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    def compare() -> None:
        personalization_compare.run(
            mini.stable_diffusion,
            mini.personalization,
            mini.shapes,
            stable_diffusion_model=base.model,
            clip_model=base.clip,
            personalization_concepts=base.concepts,
            multi_concept_table=at.table,
            multi_concept_images=at.multi_concept,
            multi_concept_weights=at.stored,
            checkpoints=at.checkpoints / "m",
            device=CPU,
        )

    monkeypatch.setattr(learning, "_backward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare()
    assert not at.table.exists()
    compare()
    assert calls[0] == 7 + 2  # no finished training is repeated
    assert at.table.read_bytes() == done.table.read_bytes()
    assert at.multi_concept.read_bytes() == done.multi_concept.read_bytes()
    for path in sorted(done.stored.rglob("*.safetensors")):
        assert (at.stored / path.relative_to(done.stored)).read_bytes() == path.read_bytes()
    assert done.metrics.stat().st_size < 10_000


def test_figures_are_built_from_the_records(done: SimpleNamespace) -> None:
    records = personalization_records.read(
        personalization_metrics=done.metrics,
        personalization_history=done.steps,
        personalization_snapshots=done.snapshots,
        personalization_samples=done.samples,
        multi_concept_images=done.multi_concept,
    )
    section = report.build("personalization", records, 40)
    names = [figure.name for figure in section.figures]
    assert names == ["ti_new1.png", "ti_new2.png", "ti_curves.png", "multi_concept.png"]
    assert [data_file.name for data_file in section.data_files] == [
        "multi_concept_table.csv",
        "multi_concept_table.md",
    ]
    assert len(section.tables[1].rows) == 7


def test_an_interrupted_training_resumes_to_the_same_bits(
    mini: params.Params,
    base: SimpleNamespace,
    done: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from hw2.personalization import train as learning

    at, calls, real = paths_in(tmp_path), [0], learning._backward

    def interrupted(*arguments: object) -> float:
        calls[0] += 1
        if calls[0] == 6:  # the last step of the second concept
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(learning, "_backward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learn(mini, at, base)
    assert not at.embeddings.exists()
    learn(mini, at, base)
    assert calls[0] < 2 * 9
    for key in ("0", "1", "2"):
        name = f"{key}.safetensors"
        assert (at.embeddings / name).read_bytes() == (done.embeddings / name).read_bytes()
    assert at.steps.read_bytes() == done.steps.read_bytes()
    assert at.snapshots.read_bytes() == done.snapshots.read_bytes()


def test_the_commands_sample_and_grade(
    base: SimpleNamespace,
    done: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("dvc.yaml", "params.yaml", "paths.yaml", "profiles.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    profiles.apply("mini")
    shutil.copytree(base.clip, paths.load().clip_model)
    prompt_specs, embeddings = str(done.input), ("--embeddings", str(done.embeddings))
    assert (
        cli.main(["sample-personalization", prompt_specs, "out", str(base.model), *embeddings]) == 0
    )
    assert capsys.readouterr().out == f"100 images in {tmp_path / 'out'}\n"
    for path in done.images.rglob("*.png"):
        assert (tmp_path / "out" / path.relative_to(done.images)).read_bytes() == path.read_bytes()
    assert cli.main(["grade-personalization", prompt_specs, str(base.concepts), "out"]) == 0
    passed = files.read_json(done.metrics)["grades"]["passed"]
    assert capsys.readouterr().out.endswith(f"You have passed {passed}/4 cases\n")
    (tmp_path / "out/0/1/source0_prompt1_3.png").unlink()
    for arguments, message in (
        (["grade-personalization", prompt_specs, str(base.concepts), "out"], "24 images, not 25"),
        (
            ["sample-personalization", prompt_specs, "out", str(base.model), *embeddings],
            "already holds files",
        ),
        (["sample-personalization", "$(x); y.json", "new"], "$(x); y.json"),
        (["sample-personalization", prompt_specs, "new", str(base.model)], "no embeddings; run"),
        (["sample-personalization", prompt_specs, "new", *embeddings], "no model; run"),
    ):
        assert cli.main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_invalid_input_is_refused_in_one_line(
    mini: params.Params, base: SimpleNamespace, done: SimpleNamespace, tmp_path: Path
) -> None:
    def sample(entry: dict[str, object], embeddings: Path = done.embeddings) -> None:
        path = tmp_path / "in $(touch pwned); rm -rf x.json"
        path.write_text(json.dumps(entry))
        personalization_sample.run(
            mini.stable_diffusion,
            mini.personalization,
            stable_diffusion_model=base.model,
            personalization_embeddings=embeddings,
            personalization_prompts=path,
            personalization_images=tmp_path / "out",
            device=CPU,
        )

    entry = dict(synthetic.INPUTS["0"])
    for key, changes, message in (
        ("../x; rm -rf ~", {}, "becomes a folder name"),
        ("0", {"token_name": "<new1>; rm"}, "should have the form <new1>"),
        ("0", {"prompt": ["a <new1>\n$(reboot)", "a <new1>"]}, "lines of text"),
        ("0", {"prompt": ["a cat", "a <new1>"]}, "does not contain <new1>"),
        ("0", {"baseline": [[1, 2]]}, "as many"),
        ("0", {"token_name": "<new9>", "prompt": ["<new9>", "<new9>"]}, "was not learned"),
    ):
        with pytest.raises(UserError, match=message) as error:
            sample({key: entry | changes})
        assert "\n" not in str(error.value)
    wide = tmp_path / "wide"
    wide.mkdir()
    tokens.save(wide / "0.safetensors", "<new1>", torch.zeros(1, 768))
    with pytest.raises(UserError, match="width 768 for a text encoder of width 16"):
        sample({"0": entry}, wide)
    tokens.save(wide / "0.safetensors", "circle</w>", torch.zeros(1, 16))
    with pytest.raises(UserError, match="is in the vocabulary already"):
        tokens.add(
            load.load(mini.stable_diffusion, base.model, CPU), *tokens.read(wide / "0.safetensors")
        )
    assert not (tmp_path / "out").exists()
    incomplete = tmp_path / "incomplete"
    shutil.copytree(done.images, incomplete)
    (incomplete / "1/0/source1_prompt0_7.png").unlink()
    for prompt_specs, message in (
        (done.input, "1/0: 24 images, not 25"),
        (base.concepts / synthetic.INPUT, "concept 0: its baseline is null"),
    ):
        with pytest.raises(UserError, match=message) as error:
            grade_personalization.run(
                mini.personalization,
                clip_model=base.clip,
                input_file=prompt_specs,
                references=base.concepts,
                images=incomplete,
                device=CPU,
            )
        assert "\n" not in str(error.value)


def test_prompts_with_shell_metacharacters_are_only_text(
    mini: params.Params, base: SimpleNamespace, done: SimpleNamespace, tmp_path: Path
) -> None:
    path = tmp_path / "input.json"
    text = f"a <new1> `touch {tmp_path}/a`; $(touch {tmp_path}/b) | tee & ../../c"
    entry = synthetic.INPUTS["0"] | {
        "prompt": [text],
        "prompt_4_clip_eval": [text],
        "baseline": [[0, 0]],
    }
    path.write_text(json.dumps({"0": entry}))
    count = personalization_sample.run(
        mini.stable_diffusion,
        mini.personalization,
        stable_diffusion_model=base.model,
        personalization_embeddings=done.embeddings,
        personalization_prompts=path,
        personalization_images=tmp_path / "out",
        device=CPU,
    )
    assert count == 25
    assert sorted(p.name for p in tmp_path.iterdir()) == ["input.json", "out"]
