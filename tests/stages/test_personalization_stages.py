"""The stages of personalization with the mini profile, one on the outputs of the other."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lost_process import assert_same_curve, train_again_after_a_loss
from PIL import Image
from reading import read
from running import CPU, ROOT, artifacts_in, assert_same_bytes, contents, run_stage, run_stages

from hw2 import cli
from hw2.clip import model as clip_models
from hw2.clip import weights
from hw2.commands import grade_personalization
from hw2.config import params, paths, profiles
from hw2.figures import personalization_records, report
from hw2.io import files
from hw2.personalization import (
    graded_images,
    grading,
    photos,
    prompt_specs,
    synthetic,
    tokens,
)
from hw2.personalization.clip_scores import Scorer
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import load, sample
from hw2.stages import (
    clip_train,
    personalization_compare,
    personalization_evaluate,
    personalization_fetch,
    personalization_sample,
    personalization_train,
    shape_judges_train,
    stable_diffusion_train,
)
from hw2.training.microbatches import Microbatches

ROUNDED = 1e-5  # metrics have six digits

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def base(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The small CLIP, the small Stable Diffusion and the concepts."""
    artifacts = artifacts_in(tmp_path_factory.mktemp("base"))
    run_stages(
        (clip_train, stable_diffusion_train, shape_judges_train, personalization_fetch),
        mini,
        artifacts,
    )
    return artifacts


def artifacts_on(base: SimpleNamespace, folder: Path) -> SimpleNamespace:
    """The paths below `folder`, but for those that stages of personalization read from `base`."""
    inputs = ("clip_model", "stable_diffusion_model", "shape_judges", "personalization_concepts")
    return artifacts_in(folder, **{name: getattr(base, name) for name in inputs})


@pytest.fixture(scope="module")
def done(
    mini: params.Params, base: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    artifacts = artifacts_on(base, tmp_path_factory.mktemp("done"))
    run_stage(personalization_train, mini, artifacts)
    assert run_stage(personalization_sample, mini, artifacts) == 100
    run_stages((personalization_compare, personalization_evaluate), mini, artifacts)
    return artifacts


def test_the_model_is_a_diffusers_pipeline(base: SimpleNamespace) -> None:
    index = json.loads((base.stable_diffusion_model / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert index["vae"] == ["diffusers", "AutoencoderKL"]
    assert index["unet"] == ["diffusers", "UNet2DConditionModel"]
    assert index["text_encoder"] == ["transformers", "CLIPTextModel"]
    rows = files.read_table(base.stable_diffusion_history)
    steps = [(row["network"], row["step"]) for row in rows]
    assert steps == [*(("autoencoder", k) for k in (1, 2, 3)), *(("unet", k) for k in (1, 2, 3, 4))]


def test_graded_images_have_the_course_s_names(done: SimpleNamespace) -> None:
    images = done.personalization_images
    for key in ("0", "1"):
        for prompt in (0, 1):
            names = {path.name for path in (images / key / str(prompt)).iterdir()}
            assert names == {f"source{key}_prompt{prompt}_{n}.png" for n in range(25)}
    with Image.open(images / "0/1/source0_prompt1_24.png") as image:
        assert image.size == (32, 32)


def test_diffusers_reads_the_embeddings(
    mini: params.Params, base: SimpleNamespace, done: SimpleNamespace
) -> None:
    pipe = load.load(mini.stable_diffusion, base.stable_diffusion_model, CPU)
    before = pipe.text_encoder.get_input_embeddings().weight.detach().clone()
    embedding = done.personalization_embeddings / "0.safetensors"
    pipe.load_textual_inversion(embedding)
    table = pipe.text_encoder.get_input_embeddings().weight
    token_id = pipe.tokenizer.convert_tokens_to_ids("<new1>")
    assert torch.equal(table[token_id], tokens.read(embedding)[1][0])
    assert torch.equal(table[: len(before)], before)


def test_the_table_has_rows_and_costs_of_every_method(
    mini: params.Params, done: SimpleNamespace
) -> None:
    table = files.read_table(done.multi_concept_table)
    multi_concept = mini.personalization.multi_concept
    objects, styled = multi_concept.pairs
    rows = [row for row in table if row["pair"] == objects.name]
    count = len(objects.prompts) * multi_concept.images
    methods = dict.fromkeys(row["method"] for row in table if row["pair"] == styled.name)
    assert list(methods) == list(multi_concept.methods)  # without `photographs`
    for method in multi_concept.methods:
        assert sum(row["method"] == method for row in rows) == count
    sizes = {row["method"]: row["bytes"] for row in rows}
    assert sizes["prompt_only"] == sizes["freecustom"] == 0
    assert 0 < sizes["separate"] == sizes["joint"] < sizes["custom_diffusion_joint"]
    trained = {row["method"]: row["trained"] for row in rows}
    batch_size = mini.personalization.train.batch_size
    steps = multi_concept.finetune_steps
    assert trained["prompt_only"] == trained["freecustom"] == 0
    assert trained["separate"] == 2 * batch_size * steps
    sampled = {row["method"]: row["sampled"] for row in rows}
    passes = count * mini.personalization.sampling.steps
    assert sampled["prompt_only"] == sampled["joint"] == 2 * passes  # with and without the prompt
    references = 2 * mini.personalization.sampling.steps  # one of each concept, in the one batch
    assert sampled["freecustom"] == 2 * passes + references
    stored = {
        p.name for p in (done.multi_concept_weights / "0+2/custom_diffusion_merged").iterdir()
    }
    assert stored == {"0.safetensors", "2.safetensors", "keys_and_values.safetensors"}
    arrays = files.load_arrays(done.multi_concept_images)
    # the same noise and words: without references FreeCustom would be `prompt_only`
    assert not np.array_equal(arrays["0+2/freecustom"], arrays["0+2/prompt_only"])
    for pair in multi_concept.pairs:
        leading = (1, len(pair.prompts), multi_concept.images)
        for method in multi_concept.methods:
            assert arrays[f"{pair.name}/{method}"].shape[:3] == leading


def test_metrics_agree_with_the_grades(
    mini: params.Params, base: SimpleNamespace, done: SimpleNamespace
) -> None:
    record = files.read_json(done.personalization_details)
    cases = grade_personalization.run(
        mini.personalization,
        clip_model=base.clip_model,
        input_file=done.personalization_prompts,
        references=base.personalization_concepts,
        images=done.personalization_images,
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


def test_an_untrained_token_fails_its_baselines_and_keeps_its_text(
    base: SimpleNamespace, done: SimpleNamespace, mini: params.Params
) -> None:
    completed = json.loads(done.personalization_prompts.read_text())
    original = files.read_json(base.personalization_concepts / synthetic.INPUT)
    pipe = load.load(mini.stable_diffusion, base.stable_diffusion_model, CPU)
    sample.use_sampler(pipe, mini.personalization.sampling.sampler)
    scorer = Scorer(
        clip_models.load(weights.locate(mini.personalization.clip, base.clip_model), CPU)
    )
    for spec in prompt_specs.read(base.personalization_concepts / synthetic.INPUT):
        concept = next(c for c in mini.personalization.concepts if c.token == spec.token)
        photographs = photos.read(base.personalization_concepts, concept).images
        references, baselines = scorer.features(photographs), completed[spec.key]["baseline"]
        for index, (image, text) in enumerate(baselines):
            images = graded_images.draw(
                pipe, spec, index, mini.personalization, word=concept.initializer
            )
            handed_over = graded_images.read(done.personalization_initializers, spec.key, index)
            assert np.array_equal(handed_over, images)
            scores = scorer.image_and_text(list(images), references, spec.eval_prompts[index])
            untrained = grading.Case(spec.key, index, *scores, (image, text))
            assert not untrained.passed
            assert untrained.scores[0] == pytest.approx(image, abs=0.11)
            assert 0.9 * untrained.scores[1] == pytest.approx(text, abs=0.051)
        assert completed[spec.key] == original[spec.key] | {"baseline": baselines}


def interrupt(monkeypatch: pytest.MonkeyPatch, call: int) -> list[int]:
    """Interrupt the training at the `call`th backward pass; the list gets the number of each."""
    calls: list[int] = []
    backward = Microbatches.backward

    def interrupted(*arguments: Any) -> Any:
        calls.append(len(calls) + 1)
        if calls[-1] == call:
            raise KeyboardInterrupt
        return backward(*arguments)

    monkeypatch.setattr(Microbatches, "backward", interrupted)
    return calls


def test_an_interrupted_comparison_resumes_to_the_same_bits(
    mini: params.Params,
    base: SimpleNamespace,
    done: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No output holds a run time either: DVC compares bytes."""
    artifacts = artifacts_on(base, tmp_path)
    artifacts.personalization_embeddings = done.personalization_embeddings
    # Of the first pair, separate and merged have 2 passes each, joint and custom_joint one. The
    # second pair shares a concept, so that it lacks one pass of separate and of merged: call 8 is
    # its joint training. What it would have shared is trained again, to the same bits.
    calls = interrupt(monkeypatch, call=8)
    with pytest.raises(KeyboardInterrupt):
        run_stage(personalization_compare, mini, artifacts)
    assert not artifacts.multi_concept_table.exists()
    run_stage(personalization_compare, mini, artifacts)
    assert len(calls) == 8 + 1 + 1 + 2  # joint, custom_joint and merged
    outputs = ("multi_concept_table", "multi_concept_images", "multi_concept_weights")
    assert_same_bytes(artifacts, done, *outputs)
    assert done.personalization_details.stat().st_size < 20_000


def test_figures_are_built_from_the_records(done: SimpleNamespace) -> None:
    records = read(personalization_records, vars(done))
    section = report.build("personalization", records, 40)
    names = [figure.name for figure in section.figures]
    grids = ["multi_concept_0+2.png", "multi_concept_0+1.png"]
    assert names == ["ti_new1.png", "ti_new2.png", "ti_curves.png", *grids]
    assert [data_file.name for data_file in section.data_files] == [
        "multi_concept_table.csv",
        "multi_concept_table.md",
    ]
    assert len(section.tables[1].rows) == 7 + 6


def test_an_interrupted_training_resumes_to_the_same_bits(
    mini: params.Params,
    base: SimpleNamespace,
    done: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    artifacts = artifacts_on(base, tmp_path)
    calls = interrupt(monkeypatch, call=6)  # the last step of the second concept
    with pytest.raises(KeyboardInterrupt):
        run_stage(personalization_train, mini, artifacts)
    assert not artifacts.personalization_embeddings.exists()
    run_stage(personalization_train, mini, artifacts)
    assert len(calls) < 2 * 9
    outputs = ("embeddings", "history", "snapshots")
    assert_same_bytes(artifacts, done, *(f"personalization_{name}" for name in outputs))


def test_a_prompt_that_is_too_long_stops_before_the_training(
    mini: params.Params, base: SimpleNamespace, tmp_path: Path
) -> None:
    concepts = tmp_path / "concepts"
    shutil.copytree(base.personalization_concepts, concepts)
    entries = files.read_json(concepts / synthetic.INPUT)
    entries["0"]["prompt"][1] = f"{'a ' * 90}<new1>"
    files.write_json(concepts / synthetic.INPUT, entries)
    artifacts = artifacts_on(base, tmp_path)
    with pytest.raises(UserError, match="tokens, of which the model reads"):
        run_stage(personalization_train, mini, artifacts, personalization_concepts=concepts)


def test_two_processes_one_of_them_lost_give_the_curve_of_one(
    mini: params.Params, base: SimpleNamespace, done: SimpleNamespace, tmp_path: Path
) -> None:
    artifacts, train = artifacts_on(base, tmp_path), mini.personalization.train
    # At the end of the second concept; the first one is done, but its outputs are not written.
    steps = train_again_after_a_loss(personalization_train, mini, artifacts, 2 * train.steps)
    concepts = len(mini.personalization.concepts)
    assert steps == concepts * (train.steps - train.save_every) + (concepts - 2) * train.save_every
    assert_same_curve(artifacts.personalization_history, done.personalization_history)


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
    shutil.copytree(base.clip_model, paths.load().clip_model)
    prompt_specs, concepts = str(done.personalization_prompts), str(base.personalization_concepts)
    embeddings = ("--embeddings", str(done.personalization_embeddings))
    model = str(base.stable_diffusion_model)
    assert cli.main(["sample-personalization", prompt_specs, "out", model, *embeddings]) == 0
    assert capsys.readouterr().out == f"100 images in {tmp_path / 'out'}\n"
    assert contents(tmp_path / "out") == contents(done.personalization_images)
    assert cli.main(["grade-personalization", prompt_specs, concepts, "out"]) == 0
    passed = files.read_json(done.personalization_details)["grades"]["passed"]
    assert capsys.readouterr().out.endswith(f"You have passed {passed}/4 cases\n")
    (tmp_path / "out/0/1/source0_prompt1_3.png").unlink()
    for arguments, message in (
        (["grade-personalization", prompt_specs, concepts, "out"], "24 images, not 25"),
        (
            ["sample-personalization", prompt_specs, "out", model, *embeddings],
            "already holds files",
        ),
        (["sample-personalization", "$(x); y.json", "new"], "$(x); y.json"),
        (["sample-personalization", prompt_specs, "new", model], "no such folder; run"),
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
    def sample(
        entry: dict[str, object], embeddings: Path = done.personalization_embeddings
    ) -> None:
        path = tmp_path / "in $(touch pwned); rm -rf x.json"
        path.write_text(json.dumps(entry))
        run_stage(
            personalization_sample,
            mini,
            done,
            personalization_embeddings=embeddings,
            personalization_prompts=path,
            personalization_images=tmp_path / "out",
        )

    entry = dict(synthetic.INPUTS["0"])
    for key, changes, message in (
        ("../x; rm -rf ~", {}, "becomes a folder name"),
        ("0", {"token_name": "<new1>; rm"}, "should have the form <new1>"),
        ("0", {"prompt": ["a <new1>\n$(reboot)", "a <new1>"]}, r"line 1 has the character U\+000A"),
        ("0", {"prompt": ["a <new1>", "a\xa0<new1>"]}, r"prompt, line 2 .* U\+00A0 after 'a'"),
        ("0", {"prompt_4_clip_eval": ["a", " "]}, "prompt_4_clip_eval, line 2 is empty"),
        ("0", {"prompt": "a <new1>"}, "a list of lines of text"),
        ("0", {"prompt": [1, "a <new1>"]}, "prompt, line 1 is of type int, not a text"),
        ("0", {"prompt": ["a cat", "a <new1>"]}, "does not contain <new1>"),
        ("0", {"baseline": [[1, 2]]}, "as many"),
        (
            "0",
            {"prompt": [f"{'word ' * 90}<new1>", "a <new1>"]},
            "tokens, of which the model reads",
        ),
        ("0", {"token_name": "<new9>", "prompt": ["<new9>", "<new9>"]}, "is not learned"),
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
            load.load(mini.stable_diffusion, base.stable_diffusion_model, CPU),
            *tokens.read(wide / "0.safetensors"),
        )
    assert not (tmp_path / "out").exists()
    incomplete = tmp_path / "incomplete"
    shutil.copytree(done.personalization_images, incomplete)
    (incomplete / "1/0/source1_prompt0_7.png").unlink()
    for input_file, message in (
        (done.personalization_prompts, "1/0: 24 images, not 25"),
        (base.personalization_concepts / synthetic.INPUT, "concept 0: its baseline is null"),
    ):
        with pytest.raises(UserError, match=message) as error:
            grade_personalization.run(
                mini.personalization,
                clip_model=base.clip_model,
                input_file=input_file,
                references=base.personalization_concepts,
                images=incomplete,
                device=CPU,
            )
        assert "\n" not in str(error.value)


def test_prompts_with_shell_metacharacters_are_only_text(
    mini: params.Params, base: SimpleNamespace, done: SimpleNamespace, tmp_path: Path
) -> None:
    path = tmp_path / "input.json"
    text = "a <new1> `touch x`; $(touch y) | tee & ../z"  # short, as the model reads 40 tokens
    entry = synthetic.INPUTS["0"] | {
        "prompt": [text],
        "prompt_4_clip_eval": [text],
        "baseline": [[0, 0]],
    }
    path.write_text(json.dumps({"0": entry}))
    count = run_stage(
        personalization_sample,
        mini,
        done,
        personalization_prompts=path,
        personalization_images=tmp_path / "out",
    )
    assert count == 25
    assert not [name for name in ("x", "y", "../z") if Path(name).exists()]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["input.json", "out"]
