"""A change reruns what depends on it, in both tools, and nothing else."""

import re
from pathlib import Path

import pytest
from scratch import (
    ADAPTATION,
    BELOW_MODEL,
    DIGITS,
    FACES,
    FIGURES,
    PERSONAL,
    REPORT,
    TRAININGS,
    ZEROSHOT,
    Scratch,
)

from hw2.runtime import fingerprint

pytestmark = pytest.mark.slow

JUDGED = BELOW_MODEL | {"judge_train", "ddpm_ablate"}
CHANGES: list[tuple[dict[str, object], set[str]]] = [
    ({"data.seed": 123}, DIGITS),
    ({"ddpm.seed": 123}, BELOW_MODEL | {"ddpm_train", "ddpm_ablate"}),
    # Swapped values: the same ones in other places.
    ({"ddpm.guidance.candidates": [3.0, 1.0]}, BELOW_MODEL),
    ({"judge.lr": 1e-2, "judge.weight_decay": 4e-3}, JUDGED),
    ({"ddpm.sampling.seed": 123}, BELOW_MODEL | {"ddpm_ablate"}),
    ({"ddpm.ablation.images_per_label": 2}, {"ddpm_ablate"} | REPORT),
    ({"dann.train.lr": 1e-2}, ADAPTATION | REPORT),
    ({"faces.seed": 123}, FACES | REPORT),
    ({"shapes.seed": 123}, ZEROSHOT | PERSONAL | REPORT),
    (
        {"stable_diffusion.seed": 123},
        PERSONAL - {"personalization_fetch", "shape_judges_train"} | REPORT,
    ),
    (
        {"personalization.seed": 123},
        PERSONAL - {"personalization_fetch", "stable_diffusion_train"} | REPORT,
    ),
    (
        {"personalization.multi_concept.seeds": [7]},
        {"personalization_compare", "personalization_evaluate"} | REPORT,
    ),
    # A parameter of the evaluation or of a figure trains nothing.
    ({"dann.tsne.perplexity": 4.0}, {"dann_tsne", "report_figs"}),
    ({"personalization.alignment.images": 2}, {"personalization_evaluate"} | REPORT),
    (
        {"personalization.judges.concept_images": 90},
        {"shape_judges_train", "personalization_evaluate"} | REPORT,
    ),
    ({"runtime.threads": 3}, set()),
]


def test_a_parameter_schedules_what_depends_on_it(copy: Scratch) -> None:
    """One of each section that has stages of its own; other tests run what they change."""
    for values, stages in CHANGES:
        copy.set(values)
        assert copy.scheduled() == stages, values
        copy.git("checkout", "-q", "params.yaml")


def test_dvc_sees_the_same_change(copy: Scratch) -> None:
    """DVC lists what changed by itself; what comes below, it finds out while it runs."""
    copy.set({"judge.seed": 123})
    assert copy.changed() == {"judge_train", "report_figs"}  # the report shows all parameters


def test_another_spelling_of_a_number_reruns_nothing(copy: Scratch) -> None:
    file = copy.root / "params.yaml"
    match = re.search(r"(?m)^    lr: (\S+)", file.read_text())  # ddpm.train.lr
    assert match
    respelt = f"{float(match[1]):.1e}" if "e" not in match[1] else f"{float(match[1]):.9f}"
    assert respelt != match[1]
    text = file.read_text().replace(match[0], f"    lr: {respelt}")
    file.write_text(text)
    assert copy.scheduled() == set()
    assert not copy.dvc("repro").ran


@pytest.mark.parametrize("tool", ["dvc", "snakemake"])
def test_the_scheduled_stages_are_those_that_run(copy: Scratch, tool: str) -> None:
    values = {"ddpm.sweep.scales": [1.0, 4.0]}
    stages = {"ddpm_sweep", "ddpm_evaluate"} | REPORT
    before = copy.git("rev-parse", "HEAD")
    copy.set(values)
    done = copy.dvc("repro") if tool == "dvc" else copy.snakemake(FIGURES)
    # Where the new sweep leads to the same measurements, the headline numbers need no new look.
    assert done.ran | {"headline"} == stages
    assert copy.scheduled() == set()
    assert not copy.dvc("repro").ran

    copy.commit("another sweep")
    copy.git("checkout", "-q", before)
    copy.dvc("checkout", "-q")
    assert copy.scheduled() == set()
    assert not copy.dvc("repro").ran


def test_row_26_an_edit_reruns_what_imports_it(copy: Scratch) -> None:
    scripts = copy.root / "workflow/scripts"
    below = {
        "ddpm_train": BELOW_MODEL,
        "ddpm_evaluate": REPORT,
        "headline": {"report_figs"},
        "report_figs": set[str](),
    }
    for stage, others in below.items():
        module = copy.root / f"src/hw2/stages/{stage}.py"
        if stage == "report_figs":
            module = copy.root / "src/hw2/figures/report.py"
        assert module in fingerprint.closure(scripts / f"{stage}.py", copy.root)
        _append(module, "_EDITED = True")
        assert copy.scheduled() == {stage} | others, module
        assert copy.changed() == {stage}
        copy.git("checkout", "-q", "src")


def test_rewording_reruns_nothing(copy: Scratch) -> None:
    """Comments, error messages, log lines, and the labels of progress bars are for people."""
    reworded = 0
    for file in (copy.root / "src").rglob("*.py"):
        text, count = _MESSAGE.subn(r"\g<0>Reworded: ", file.read_text())
        file.write_text(text + "\n# A remark that changes nothing.\n")
        reworded += count
    assert reworded > 100
    assert copy.scheduled() == set()
    assert not copy.dvc("repro").ran


def test_new_val_images_retrain_nothing(copy: Scratch) -> None:
    copy.set({"data.val_images": 41})
    assert copy.dvc("repro", "digits_pack").ran == {"digits_fetch", "digits_pack"}
    for due in (copy.scheduled(), copy.changed()):
        assert {"ddpm_select_guidance", "dann_evaluate"} <= due
        assert not due & (TRAININGS | {"dann_train"})


CORAL = '''
"""Deep CORAL (Sun & Saenko, 2016)."""

from torch import Tensor
from torch.nn import functional as F

from hw2.dann.method import Batch, Method, Numbers


class Coral(Method):
    """Match the covariance of the features of both domains."""

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        label = F.cross_entropy(source.logits, source.digits)
        gap = (source.features.T.cov() - target.features.T.cov()).square().mean()
        return label + gap, {"label": label.item()}
'''


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, file
    file.write_text(text.replace(old, new, 1))


def test_a_new_method_trains_only_itself(copy: Scratch) -> None:
    """A file, a line of the registry, a line of the schema, and its place in params.yaml."""
    source = copy.root / "src/hw2"
    (source / "dann/methods/coral.py").write_text(CORAL)
    registry = source / "dann/methods/registry.py"
    _replace(
        registry,
        "from hw2.dann.methods.dann ",
        "from hw2.dann.methods.coral import Coral\nfrom hw2.dann.methods.dann ",
    )
    _replace(registry, '    "mcc": Mcc,', '    "coral": Coral,\n    "mcc": Mcc,')
    schema = source / "config/schema/dann_methods.py"
    _replace(
        schema, "    mcc: Mcc", '    coral: NoHyperparameters = Field(title="CORAL")\n    mcc: Mcc'
    )
    params = copy.root / "params.yaml"
    _replace(params, "    target_only: {}", "    coral: {}\n    target_only: {}")
    _replace(params, "  - target_only\n", "  - target_only\n  - coral\n")

    done = copy.dvc("repro", "dann_train")
    assert done.ran == {"dann_train"}
    log = copy.text("logs/dann_train.log")
    trained = set(re.findall(r"(\w+) \d+: step \d+/\d+", log))
    kept = set(re.findall(r"(\w+) \d+: already trained", log))
    assert trained == {"coral"}
    assert {"source_only", "dann", "cdan", "mcc", "self_training", "target_only"} <= kept


def test_one_edit_in_a_shared_module_reaches_all_that_import_it(copy: Scratch) -> None:
    module = copy.root / "src/hw2/diffusion/samplers/loop.py"
    scripts = (copy.root / "workflow/scripts").glob("*.py")
    using = {s.stem for s in scripts if module in fingerprint.closure(s, copy.root)}
    assert {"ddpm_sample", "ddpm_sweep"} <= using
    assert "digits_pack" not in using
    _append(module, "_EDITED = True")
    copy.scheduled()
    assert copy.changed() == using


_MESSAGE = re.compile(r'(raise UserError\(|log\.(info|warning|error)\(|\bprogress\([^"\n]*?)\s*f?"')
"""A call whose text only people read, up to its first quote."""


def _append(file: Path, line: str) -> None:
    file.write_text(f"{file.read_text()}\n\n{line}\n")
