"""The report is whole, the same for equal records, and shows only their numbers."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from reading import draw_report

import hw2
from hw2.pipeline import report_page
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

Paths = dict[str, Path]
Write = Callable[..., Paths]

CURVES = {
    *("ddpm_guidance.png", "ddpm_samplers.png", "ddpm_loss.png", "ddpm_digits.png", "index.html"),
    *("ddpm_architecture.png", "dann_architecture.png"),
    *("dann_curves.png", "dann_table.csv", "dann_table.md"),
    *(f"faces_{name}.png" for name in ("eta", "slerp", "lerp", "steps", "interpolation", "loss")),
    *("clip_successes.png", "clip_failures.png", "clip_templates.png", "clip_per_class.png"),
    *("clip_confusion.png", "clip_table.csv", "clip_table.md"),
    *("ti_new1.png", "ti_new2.png", "ti_curves.png", "multi_concept_0+1.png"),
    *("multi_concept_table.csv", "multi_concept_table.md", "claims.csv", "claims.md"),
}


@dataclass(frozen=True)
class Params:
    """The parameters' section `figures`."""

    dpi: int = 60


def images_of(*domains: str) -> set[str]:
    return {f"ddpm_{kind}_{domain}.png" for kind in ("grid", "reverse") for domain in domains}


def tsne_of(*names: str) -> set[str]:
    return {f"dann_tsne_{name}_{kind}.png" for name in names for kind in ("class", "domain")}


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


class Page(HTMLParser):
    """The page's texts, links and images."""

    def __init__(self, html: str) -> None:
        """Read `html`."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag."""
        self.tags.append((tag, dict(attrs)))
        self.texts.append("" if tag == "span" else " ")

    def handle_data(self, data: str) -> None:
        """Collect a text, except the style sheet."""
        if self.tags and self.tags[-1][0] != "style":
            self.texts.append(data)

    @property
    def words(self) -> str:
        """All text a reader sees or hears, with plain spaces."""
        heard = [attrs["alt"] or "" for tag, attrs in self.tags if tag == "img"]
        return ("".join(self.texts) + " ".join(heard)).replace("\N{NO-BREAK SPACE}", " ")


def page_of(paths: Paths) -> Page:
    return Page((paths["report_figs"] / "index.html").read_text(encoding="utf-8"))


def drawn_page(paths: Paths) -> Page:
    draw_report(paths)
    return page_of(paths)


def test_every_figure_is_made_and_nothing_else(drawn: Paths) -> None:
    made = {path.name for path in drawn["report_figs"].iterdir()}
    assert made == CURVES | images_of("mnistm", "svhn") | tsne_of("svhn", "usps")


@pytest.mark.parametrize("domain", ["mnistm", "svhn"])
def test_a_report_of_a_single_domain_names_no_other(
    records_in: Write, tmp_path: Path, domain: str
) -> None:
    paths = records_in(tmp_path, (domain,))
    page = drawn_page(paths)
    made = {path.name for path in paths["report_figs"].iterdir()}
    assert made == CURVES | images_of(domain) | tsne_of("mnist")
    other = {"mnistm": "SVHN", "svhn": "MNIST-M"}[domain]
    assert page.words.count(other) == 1
    assert f"none of {other}" in page.words


def test_equal_records_give_equal_bytes(drawn: Paths, records_in: Write, tmp_path: Path) -> None:
    equal = records_in(tmp_path)
    draw_report(equal)
    assert digest(equal["report_figs"]) == digest(drawn["report_figs"])
    for png in drawn["report_figs"].glob("*.png"):
        assert not re.search(rb"tEXt|iTXt|tIME", png.read_bytes())


def test_the_report_needs_no_torch_model_or_data_set(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    code = """
import json, sys
sys.modules["torch"] = None
from pathlib import Path
from types import SimpleNamespace
from hw2.config.paths import Paths
from hw2.figures import report
from hw2.runtime.provenance import Provenance
table = json.loads(sys.argv[1])
made = {name: "stage" for name in table}
facts = Provenance(None, None, "demo", (), (), {}, (), {}, {}, made)
report.run(SimpleNamespace(dpi=50), Paths(table, Path()), facts)
layers = ("stages", "models", "diffusion", "training", "evaluation")
loaded = {m for m in sys.modules if m.startswith(tuple(f"hw2.{layer}" for layer in layers))}
names = ("", ".headline", ".outcomes", ".difference_interval", ".claims")
torch_free = {f"hw2.evaluation{name}" for name in names}
assert loaded <= torch_free
assert not {"hw2.digits.archive", "hw2.digits.course", "hw2.digits.public"} & {*sys.modules}
assert "matplotlib.pyplot" not in sys.modules
"""
    arguments = json.dumps({name: str(path) for name, path in paths.items()})
    env = os.environ | {"PYTHONPATH": str(Path(hw2.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code, arguments], check=True, env=env)
    assert (paths["report_figs"] / "index.html").is_file()


def test_a_failed_report_leaves_the_old_one(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    draw_report(paths)
    before = digest(paths["report_figs"])
    paths["ddpm_history"].write_text("step,loss\n")
    with pytest.raises(UserError):
        draw_report(paths)
    assert digest(paths["report_figs"]) == before


def test_the_page_embeds_its_images(drawn: Paths) -> None:
    page = page_of(drawn)
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    links = [link for link in links if not link.startswith("#")]  # anchors of the page itself
    assert set(links) == {path.name for path in drawn["report_figs"].glob("*.png")}
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(images) == len(links)
    assert all((image["src"] or "").startswith("data:image/png;base64,") for image in images)
    assert all(image["alt"] for image in images)
    text = (drawn["report_figs"] / "index.html").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)


def leaves(record: Any) -> Iterator[float]:
    if isinstance(record, dict):
        yield from (leaf for value in record.values() for leaf in leaves(value))
    elif isinstance(record, list):
        yield from (leaf for value in record for leaf in leaves(value))
    elif isinstance(record, int | float):
        yield float(record)


def written(paths: Paths) -> set[str]:
    """Every number of the records in the forms in which the page may show it."""
    jsons = [path for path in paths.values() if path.suffix == ".json"]
    numbers = {abs(leaf) for path in jsons for leaf in leaves(json.loads(path.read_text()))}
    for name in ("ddpm_sweep", "ddpm_history", "dann_history", "faces_interpolation"):
        cells = re.split(r"[,\n]", paths[name].read_text())
        numbers |= {float(cell) for cell in cells if re.fullmatch(r"[\d.]+", cell)}
    rounded = {f"{v:.{digits}f}" for v in numbers for digits in range(4)}
    return rounded | {f"{v:g}" for v in numbers} | {f"{100 * v:.1f}" for v in numbers}


def test_the_page_shows_numbers_of_the_records_only(drawn: Paths) -> None:
    words = page_of(drawn).words.partition("What this report was made from")[0]
    words = re.sub(r", (?:19|20)\d\d\b", "", words)  # years of references
    shown = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w])", words))
    times = {"1000", "800", "600", "400", "200", "0"}
    digits = {str(digit) for digit in range(10)}
    losses = [float(line.split(",")[1]) for line in drawn["ddpm_history"].read_text().split()[1:]]
    smoothed = f"{sum(losses[-8:]) / 8:.4f}"  # 8 is a fiftieth of the rows
    # 95 is the level of the intervals, 6 the images of a strip, 10 a side of the grid, 60 the
    # points of a t-SNE figure; the last are ratios of generated to real.
    made_here = {"95", "6", "10", "8", "60", smoothed, "76.3", "75.0", "93.8", "223.5"}
    # Names of noises, settings of the faces' samples, the scale of pixels, the course's threshold.
    made_here |= {"00", "01", "03", "0.25", "4", "20", "255"}
    made_here |= {"0.001"}  # smaller p-values are not distinguished
    made_here |= set(re.findall(r"\d+(?:\.\d+)?", drawn["claims_file"].read_text()))
    assert shown - written(drawn) - times - digits - made_here == set()
    for key in ("accuracy", "accuracy_low", "accuracy_high"):
        for path in (drawn["ddpm_details"], drawn["judge_details"]):
            record = json.loads(path.read_text())
            assert f"{100 * record['mnistm'][key]:.1f}" in shown
    assert {"97.5", "66.5", "500", "2000", "400"} <= shown


def test_the_page_changes_with_the_records(drawn: Paths, records_in: Write, tmp_path: Path) -> None:
    assert "not run in this profile" in page_of(drawn).words
    paths = records_in(tmp_path)
    score = {"accuracy": 0.7812, "accuracy_low": 0.7123, "accuracy_high": 0.8345, "n": 321}
    paths["ddpm_ablation_details"].write_text(json.dumps({"ran": True, **score}))
    record = json.loads(paths["ddpm_details"].read_text())
    paths["ddpm_details"].write_text(json.dumps(record | {"model": "a <small> U-Net"}))
    page = drawn_page(paths)
    assert "78.1 % (71.2\N{EN DASH}83.5 %, n = 321)" in page.words
    assert "not run" not in page.words
    assert "Model: a <small> U-Net." in page.words


def test_every_figure_says_how_to_make_it_again(drawn: Paths) -> None:
    text = (drawn["report_figs"] / "index.html").read_text(encoding="utf-8")
    commands = re.findall(r'<a href="([^"]+)">[^<]+</a>, made again by\n<code>([^<]+)</code>', text)
    assert {name for name, _ in commands} == {p.name for p in drawn["report_figs"].glob("*.png")}
    assert dict(commands)["ddpm_guidance.png"] == (
        "dvc repro --force --single-item maker_of_ddpm_sweep report_figs"
    )


def test_the_page_ends_with_its_provenance(drawn: Paths) -> None:
    words = page_of(drawn).words
    _, _, last = words.partition("What this report was made from")
    for fact in ("0123456789ab", "no source file differs from it", "ddpm.train.steps", "1.50 MB",
                 "a processor, 2 core(s)", "61.5"):  # fmt: skip
        assert fact in last
    assert words.index("Domain adaptation of a digit") < words.index("Claims of reports")


def test_every_task_says_what_was_done_and_observed(drawn: Paths) -> None:
    words = page_of(drawn).words
    assert words.count("What was hard") == words.count("What was observed") == 5
    assert "DANN as published: a fall (\N{MINUS SIGN}3.0 points, 95 % interval" in words
    assert "self-training" in words
    assert "Several concepts: a survey" in words


def test_snakemake_finds_the_texts_of_every_figure(drawn: Paths) -> None:
    html = (drawn["report_figs"] / "index.html").read_text(encoding="utf-8")
    texts = report_page.read(html)
    assert set(texts) == {path.name for path in drawn["report_figs"].glob("*.png")}
    assert all(text.section and text.title and text.caption for text in texts.values())
