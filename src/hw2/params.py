"""The schema of params.yaml: every number of the pipeline, with its unit or reason and range.

There are no default values here. What is not in params.yaml would not reach DVC, and a stage
would not rerun when it changed. To add a parameter, add a field here and a key there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, StringConstraints, field_validator

from hw2 import clip_params, inversion_params, strict
from hw2.clip_params import Clip as Clip
from hw2.clip_params import ClipModel as ClipModel
from hw2.clip_params import ClipNetwork as ClipNetwork
from hw2.clip_params import ClipTrain as ClipTrain
from hw2.clip_params import Shapes as Shapes
from hw2.clip_params import Zeroshot as Zeroshot
from hw2.denoising_params import Denoising as Denoising
from hw2.denoising_params import Diffusion as Diffusion
from hw2.denoising_params import Train as Train
from hw2.denoising_params import UNetShape as UNetShape
from hw2.errors import UserError
from hw2.inversion_params import Concept as Concept
from hw2.inversion_params import Drawing as Drawing
from hw2.inversion_params import Inversion as Inversion
from hw2.inversion_params import Personal as Personal
from hw2.inversion_params import Several as Several
from hw2.inversion_params import Stable as Stable
from hw2.ranges import Fraction, NonNegative, Seed, once
from hw2.strict import Section

Domain = Literal["mnistm", "svhn"]
DataDomain = Literal["mnistm", "svhn", "usps", "mnist"]
Sampler = Literal["ddpm", "ddim", "dpmpp"]
Method = Literal["source_only", "dann", "dann_tuned", "strong", "target_only"]
Pair = Annotated[str, StringConstraints(pattern=r"^([a-z]+)->([a-z]+)$")]
Weight = Annotated[float, Field(ge=-1, le=50)]
Weights = Annotated[tuple[Weight, ...], Strict(False), Field(min_length=1)]
# YAML has lists; tuples keep a frozen model frozen. Strict(False) is for the outside only.


def _images(part: str) -> Any:
    return Field(description=f"images of a domain in the {part} part, null for all there are")


class Runtime(Section):
    """Where to compute. Not part of any stage's parameters: it should not change results."""

    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = Field(
        description="auto, cpu, cuda or cuda:N"
    )
    threads: int = Field(ge=0, le=1024, description="CPU threads, 0 for all cores")


class Data(Section):
    """The digit images."""

    source: Literal["embedded", "course", "public"] = Field(
        description="drawn offline, the course's hw2_data, or the public data sets"
    )
    domains: Annotated[tuple[DataDomain, ...], Strict(False)] = Field(
        min_length=1, description="domains to prepare"
    )
    seed: Seed
    train_images: PositiveInt | None = _images("train")
    select_images: PositiveInt | None = _images("select")
    report_images: PositiveInt | None = _images("report")
    course: str = Field(min_length=1, description="the course's hw2_data folder or zip")
    year: Literal[2022, 2023, 2024, 2025] = Field(
        description="whose zip is downloaded if `course` is not there"
    )
    test_labels: bool = Field(description="whether the course folder's test.csv holds labels")

    _domains_once = field_validator("domains")(once)


class Judge(Section):
    """The digit classifiers that score generated images."""

    seed: Seed
    steps: PositiveInt = Field(description="optimizer steps")
    batch: int = Field(ge=2, description="images; BatchNorm needs two")
    lr: PositiveFloat = Field(le=1, description="peak learning rate")
    weight_decay: NonNegative = Field(le=1, description="decoupled decay")
    course_classifier: str | None = Field(
        description="path of the course's Classifier.pth for mnistm, or null"
    )


class Network(UNetShape):
    """The noise predictor of digits."""

    kind: Literal["unet", "context_unet"] = Field(description="ours, or the well-known small one")
    n_feat: int = Field(ge=4, le=1024, description="channels of context_unet")


class Ddpm(Section):
    """The conditional diffusion model."""

    seed: Seed
    domains: Annotated[tuple[Domain, ...], Strict(False)] = Field(
        min_length=1, description="domains to generate"
    )
    network: Network
    diffusion: Diffusion
    train: Train

    _domains_once = field_validator("domains")(once)


class Sampling(Section):
    """How images are drawn from the trained model."""

    seed: Seed
    sampler: Sampler = Field(description="ancestral, DDIM or DPM-Solver++")
    steps: PositiveInt = Field(description="noise levels visited, at most diffusion.timesteps")
    eta: Fraction = Field(description="fresh noise of DDIM: 0 none, 1 as ancestral")
    batch: PositiveInt = Field(description="images at a time; it does not change them")
    images_per_label: PositiveInt = Field(description="images of each digit of each domain")


class Guidance(Section):
    """Classifier-free guidance."""

    convention: Literal["ho-salimans", "scale"] = Field(
        description="weight 0 is none in ho-salimans, 1 is none in scale (= 1 + w)"
    )
    weight: Weight | Literal["select"] = Field(
        description="a number, or select: the best candidate on the select part"
    )
    candidates: Weights = Field(description="weights to select from")
    images_per_label: int = Field(ge=3, description="of a candidate; diversity needs three")
    least_variety: Fraction = Field(
        description="of a candidate, as a share of the real images'; 0 to go by accuracy alone"
    )


class Sweep(Section):
    """The comparison of samplers, numbers of steps and guidance weights."""

    weights: Weights = Field(description="guidance weights")
    images_per_label: int = Field(ge=3, description="images of a label; diversity needs three")
    samplers: Annotated[tuple[Sampler, ...], Strict(False)] = Field(min_length=1)
    steps: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=1, description="steps of each sampler, at most diffusion.timesteps"
    )


class Ablation(Section):
    """The model that is trained without condition dropout."""

    run: bool = Field(description="it takes as long as the main run")
    images_per_label: PositiveInt = Field(description="images of a label")


class AdaptationNetwork(Section):
    """The classifier of the adaptation rows."""

    width: int = Field(ge=4, le=512, description="channels of the first convolution")
    dropout: float = Field(ge=0, lt=1, description="share of dropped features")
    input: Literal["instance", "domain"] = Field(
        description="pixels in units of the image's own spread, or of its domain's"
    )


class Views(Section):
    """Random views of a training image; every row of the table has the same."""

    turn: float = Field(ge=0, le=180, description="largest angle, degrees")
    scale: float = Field(ge=0, lt=1, description="largest change of size, a share")
    shear: NonNegative = Field(le=2, description="largest shear, a slope")
    shift: NonNegative = Field(le=14, description="largest shift, pixels")
    contrast: Fraction = Field(description="largest change of contrast, a share")
    brightness: NonNegative = Field(le=2, description="largest shift; black to white is 2")
    tint: Fraction = Field(description="the same two, of each channel by itself")
    invert: Fraction = Field(description="share of images as negatives")
    grey: Fraction = Field(description="share of images without colour")
    blur: Fraction = Field(description="share of blurred images")
    cutout: int = Field(ge=0, le=28, description="side of the hole, pixels; 0: none")
    weak: Fraction = Field(description="share of the affine amounts in a weak view")


class AdaptationTrain(Section):
    """The training loop of every row, but for the rates of the faithful DANN."""

    steps: PositiveInt = Field(description="optimizer steps")
    batch: int = Field(ge=8, multiple_of=8, description="images of a step")
    lr: PositiveFloat = Field(le=1, description="peak learning rate of AdamW")
    muon_lr: NonNegative = Field(le=1, description="Muon's, for inner convolutions; 0: AdamW only")
    weight_decay: NonNegative = Field(le=1, description="decoupled decay")
    warmup: Fraction = Field(description="share of the steps in which the rate rises")
    ema: float = Field(ge=0, lt=1, description="decay of the averaged weights of a step")
    save_every: PositiveInt = Field(description="steps between resume files")


class FaithfulDann(Section):
    """DANN as Ganin et al. (2016) trained it."""

    network: Literal["shared", "ganin"] = Field(description="that of all rows, or the paper's")
    lr: PositiveFloat = Field(le=1, description="first learning rate mu_0 of SGD")
    momentum: float = Field(ge=0, lt=1, description="of SGD")
    cap: NonNegative = Field(le=10, description="largest strength of the reversed gradient")
    hidden: PositiveInt = Field(description="hidden units of the domain head")


class TunedDann(Section):
    """DANN with what makes it work."""

    cap: NonNegative = Field(le=10, description="largest strength of the reversed gradient")
    hidden: PositiveInt = Field(description="hidden units of the domain head")
    entropy: NonNegative = Field(le=10, description="weight of the target's mean entropy")


class StrongAdaptation(Section):
    """Self-training with a teacher, like AdaMatch."""

    threshold: Fraction = Field(description="of the source's mean confidence, to learn a label")
    weight: NonNegative = Field(le=10, description="of the loss on learnt labels")
    average: float = Field(ge=0, lt=1, description="decay of the mean predictions of a domain")


class Tsne(Section):
    """The picture of the features."""

    images: int = Field(ge=10, description="images of each domain of the report part")
    perplexity: PositiveFloat = Field(description="about so many neighbours are kept near")
    after: Method = Field(description="which row is shown beside source_only")


class Dann(Section):
    """Domain adaptation."""

    seeds: Annotated[tuple[Seed, ...], Strict(False)] = Field(
        min_length=1, description="every row is trained once with each"
    )
    pairs: Annotated[tuple[Pair, ...], Strict(False)] = Field(
        description="source->target; none leaves adaptation out"
    )
    methods: Annotated[tuple[Method, ...], Strict(False)] = Field(
        min_length=1, description="rows of the table; source_only is what gains are over"
    )
    network: AdaptationNetwork
    views: Views
    train: AdaptationTrain
    faithful: FaithfulDann
    tuned: TunedDann
    strong: StrongAdaptation
    tsne: Tsne

    _all_once = field_validator("seeds", "pairs", "methods")(once)

    @field_validator("pairs")
    @classmethod
    def _two(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        for pair in pairs:
            if len(set(pair.split("->"))) == 1:
                raise ValueError(f"{pair} has one domain; name two")
        return pairs

    @field_validator("methods")
    @classmethod
    def _compared(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        if "source_only" not in methods:
            raise ValueError("source_only is missing; gains are over it")
        return methods


class Faces(Section):
    """The face model: trained here on drawn faces, or given."""

    seed: Seed
    source: Literal["embedded", "course", "diffusers"] = Field(
        description="trained here, the course's UNet.pt, or a UNet2DModel of diffusers"
    )
    weights: str | None = Field(
        description="path of UNet.pt, or folder or hub id of the UNet2DModel; null if embedded"
    )
    revision: str | None = Field(description="commit of a hub id; null for the newest")
    images: PositiveInt = Field(description="drawn faces to train on")
    size: int = Field(ge=16, le=256, multiple_of=16, description="height and width, pixels")
    network: UNetShape
    diffusion: Diffusion
    train: Denoising


class Ddim(Section):
    """How faces are drawn from the model, and what is compared."""

    seed: Seed
    noises: str | None = Field(description="folder with 00.pt, 01.pt ...; null draws ten")
    ground_truth: str | None = Field(description="folder with 00.png ... to compare with, or null")
    steps: PositiveInt = Field(description="network calls for an image")
    grid: Literal["course", "leading", "trailing"] = Field(description="which times are visited")
    eta: Fraction = Field(description="fresh noise: 0 none, 1 as ancestral")
    batch: PositiveInt = Field(description="images at a time")
    etas: Annotated[tuple[Fraction, ...], Strict(False)] = Field(
        min_length=2, description="rows of the grid, the first one without fresh noise"
    )
    repeats: int = Field(ge=3, description="images of each noise and eta; diversity needs three")
    alphas: int = Field(ge=3, le=101, description="images of an interpolation, both ends included")
    pairs: int = Field(ge=1, le=5, description="pairs of noises that are interpolated")
    counts: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=2, description="numbers of steps that are compared"
    )

    _all_once = field_validator("etas", "counts")(once)

    @field_validator("etas")
    @classmethod
    def _from_zero(cls, etas: tuple[float, ...]) -> tuple[float, ...]:
        if etas[0] != 0 or list(etas) != sorted(etas):
            raise ValueError("etas rise from 0; distances are to it")
        return etas

    @field_validator("alphas")
    @classmethod
    def _with_middle(cls, alphas: int) -> int:
        if alphas % 2 == 0:
            raise ValueError("an odd number has alpha = 0.5 in it")
        return alphas


class Figures(Section):
    """The drawn report."""

    dpi: int = Field(ge=20, le=600, description="dots of an inch")


class Params(Section):
    """The whole of params.yaml."""

    profile: str = Field(min_length=1, description="the column of profiles.yaml that was applied")
    runtime: Runtime
    data: Data
    judge: Judge
    ddpm: Ddpm
    sampling: Sampling
    guidance: Guidance
    sweep: Sweep
    ablation: Ablation
    dann: Dann
    faces: Faces
    ddim: Ddim
    shapes: Shapes
    clip: Clip
    zeroshot: Zeroshot
    stable: Stable
    inversion: Inversion
    several: Several
    figures: Figures


def load(path: str | Path = "params.yaml") -> Params:
    """Read and check params.yaml.

    Raises:
        UserError: with one line per problem: dotted key, value, what is allowed.
    """
    return parse(strict.read_yaml(path), path)


def parse(data: Any, source: str | Path = "params.yaml") -> Params:
    """Check the content of params.yaml, given as plain dicts and lists; errors as in `load`."""
    params = strict.parse(Params, data, source)
    problems = list(_conflicts(params))
    if problems:
        raise UserError(strict.listed(source, problems))
    return params


def _conflicts(params: Params) -> Iterator[str]:
    """Values that are allowed alone but not together."""
    yield from _data_conflicts(params)
    yield from _face_conflicts(params.faces, params.ddim)
    yield from clip_params.conflicts(params.clip, params.zeroshot)
    yield from inversion_params.conflicts(
        params.stable, params.inversion, params.several, params.clip.run
    )
    levels = params.ddpm.diffusion.timesteps
    limit = f"more than ddpm.diffusion.timesteps = {levels}"
    if params.sampling.steps > levels:
        yield f"sampling.steps: {params.sampling.steps} is {limit}"
    for place, steps in enumerate(params.sweep.steps):
        if steps > levels:
            yield f"sweep.steps.{place}: {steps} is {limit}"
    network = params.ddpm.network
    cells = 28 // network.patch
    if cells % 2 ** (len(network.mult) - 1):
        yield f"ddpm.network.mult: {cells} cells of 28 pixels cannot be halved at every level"
    train = params.ddpm.train
    if train.shards > 1 and network.kind == "context_unet":
        yield f"ddpm.train.shards: {train.shards} does not go with BatchNorm; write 1"
    if train.warmup >= train.steps:
        yield f"ddpm.train.warmup: {train.warmup} is not less than steps = {train.steps}"
    if params.dann.tsne.after not in params.dann.methods:
        yield f"dann.tsne.after: {params.dann.tsne.after} is not among dann.methods"
    if train.p_uncond == 0 and params.guidance.weight != _unguided(params.guidance.convention):
        yield "ddpm.train.p_uncond: 0 leaves nothing to guide with; write 0.1 or so"


def _data_conflicts(params: Params) -> Iterator[str]:
    data = params.data
    for domain in params.ddpm.domains:
        if domain not in data.domains:
            yield f"ddpm.domains: {domain} is not in data.domains; add it there or leave it out"
    for pair in params.dann.pairs:
        for name in pair.split("->"):
            if name not in data.domains:
                yield f"dann.pairs: {pair} needs {name} in data.domains; leave the pair out"
    if data.source == "embedded":
        for part in ("train", "select", "report"):
            if getattr(data, f"{part}_images") is None:
                yield f"data.{part}_images: null is for real data; write how many to draw"
        if "mnist" in data.domains:
            yield "data.domains: mnist is not among the embedded domains; leave it out"


def _face_conflicts(faces: Faces, ddim: Ddim) -> Iterator[str]:
    given = faces.source != "embedded"
    if given != (faces.weights is not None):
        what = "the path of its weights" if given else "null"
        yield f"faces.weights: {faces.weights!r} with source {faces.source}; write {what}"
    cells = faces.size // faces.network.patch
    if cells % 2 ** (len(faces.network.mult) - 1):
        yield f"faces.network.mult: {cells} cells of {faces.size} pixels are not halved so often"
    if faces.train.warmup >= faces.train.steps:
        yield f"faces.train.warmup: {faces.train.warmup} is not less than {faces.train.steps} steps"
    most = (1000 if given else faces.diffusion.timesteps) // 2  # of the course's grid
    for key, count in (("steps", ddim.steps), ("counts", max(ddim.counts))):
        if count > most:
            yield f"ddim.{key}: {count} is more than half of the noise levels, {most}"


def _unguided(convention: str) -> float:
    return 0.0 if convention == "ho-salimans" else 1.0
