"""New tokens of a text encoder: their embeddings are added, trained alone, saved and loaded."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from hw2.io.atomic import atomic_path
from hw2.io.file_tree import listed
from hw2.personalization.prompt_specs import PromptSpec
from hw2.runtime.errors import UserError

_SPREAD = 0.02  # distance of vectors with the same initializer from it, relative to its norm


@dataclass(frozen=True)
class AddedToken:
    """A concept's token in a vocabulary: its name and the ids of its vectors."""

    token: str
    ids: tuple[int, ...]

    @property
    def words(self) -> str:
        """The text of the token in a prompt, with diffusers' names of several vectors."""
        return " ".join(names(self.token, len(self.ids)))


def names(token: str, vectors: int) -> list[str]:
    """Names of a token's vectors: <t>, <t>_1, <t>_2, ..., as in `load_textual_inversion`."""
    return [token, *(f"{token}_{k}" for k in range(1, vectors))]


def initial_embedding(pipe: Any, word: str, vectors: int) -> Tensor:
    """Initial embedding of a concept, float32 (vectors, width).

    An initializer of one token starts all vectors, which are moved apart a little; otherwise each
    vector starts from a token of its own.

    Raises:
        UserError: if the number of tokens of the initializer is neither 1 nor `vectors`.
    """
    ids = pipe.tokenizer(word, add_special_tokens=False).input_ids
    if len(ids) not in (1, vectors):
        pieces = " + ".join(pipe.tokenizer.convert_ids_to_tokens(ids))
        raise UserError(
            f"personalization.concepts: initializer {word!r} has {len(ids)} tokens ({pieces}) for"
            f" {vectors} vector(s); choose a word of one token, or set `vectors: {len(ids)}`"
        )
    table = pipe.text_encoder.get_input_embeddings().weight.detach().float().cpu()
    rows = table[ids].expand(vectors, -1).clone() if len(ids) == 1 else table[ids].clone()
    if len(ids) == 1 and vectors > 1:
        angles = torch.arange(vectors)[:, None] * torch.arange(1, table.shape[1] + 1)
        rows += _SPREAD * rows.norm() / table.shape[1] ** 0.5 * torch.sin(angles.float())
    return rows


def stand_in(pipe: Any, word: str, vectors: int) -> str:
    """Words with as many tokens as a concept has vectors, made of its initializer."""
    ids = pipe.tokenizer(word, add_special_tokens=False).input_ids
    return word if len(ids) == vectors else " ".join([word] * vectors)


def add(pipe: Any, token: str, rows: Tensor) -> AddedToken:
    """Add a token with the embedding `rows`, float (vectors, width), to the vocabulary.

    Raises:
        UserError: if the token is in the vocabulary already, or the width does not fit the model.
    """
    new_names = names(token, len(rows))
    existing = sorted(set(new_names) & pipe.tokenizer.get_vocab().keys())
    if existing:
        raise UserError(
            f"{token}: {existing[0]} is in the vocabulary already; choose another token"
        )
    width = pipe.text_encoder.get_input_embeddings().weight.shape[1]
    if rows.shape[1] != width:
        raise UserError(
            f"{token}: an embedding of width {rows.shape[1]} for a text encoder of width {width};"
            " it was learned with another model; train it with this one"
        )
    pipe.tokenizer.add_tokens(new_names)
    ids = pipe.tokenizer.convert_tokens_to_ids(new_names)
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer), mean_resizing=False)
    set_embedding(pipe, AddedToken(token, tuple(ids)), rows)
    return AddedToken(token, tuple(ids))


@torch.no_grad()
def set_embedding(pipe: Any, added: AddedToken, rows: Tensor) -> None:
    """Set the embedding of a token."""
    table = pipe.text_encoder.get_input_embeddings().weight
    table[list(added.ids)] = rows.to(table)


class _EmbeddingWithNewRows(nn.Module):
    """A token embedding with some rows in a separate parameter."""

    def __init__(self, old: nn.Embedding, ids: list[int], rows: nn.Parameter) -> None:
        super().__init__()
        self.weight = old.weight  # transformers reads its dtype
        self.rows = rows
        position = torch.full((len(old.weight),), -1, dtype=torch.int64, device=old.weight.device)
        position[ids] = torch.arange(len(ids), device=position.device)
        self.position = position

    def forward(self, ids: Tensor) -> Tensor:
        fixed = F.embedding(ids, self.weight)
        position = self.position[ids]
        new = F.embedding(position.clamp(min=0), self.rows.to(fixed))
        return torch.where((position >= 0)[..., None], new, fixed)


@contextmanager
def trainable(pipe: Any, added_tokens: tuple[AddedToken, ...]) -> Iterator[nn.Parameter]:
    """The embeddings of these tokens as a single parameter float32 (vectors of all, width).

    It is the only parameter for the optimizer, so neither weight decay nor moments can change other
    embeddings. On exit it is written back into the table.
    """
    encoder = pipe.text_encoder
    old = encoder.get_input_embeddings()
    ids = [k for added in added_tokens for k in added.ids]
    rows = nn.Parameter(old.weight.detach()[ids].float().clone())
    encoder.set_input_embeddings(_EmbeddingWithNewRows(old, ids, rows))
    try:
        yield rows
    finally:
        encoder.set_input_embeddings(old)
        with torch.no_grad():
            old.weight[ids] = rows.detach().to(old.weight)


def save(path: Path, token: str, rows: Tensor) -> None:
    """Write rows (vectors, width) so that `pipe.load_textual_inversion(path)` reads them."""
    with atomic_path(path) as temporary:
        save_file({token: rows.detach().float().cpu().contiguous()}, temporary)


def read(path: Path) -> tuple[str, Tensor]:
    """Read a token and its embedding float (vectors, width).

    Raises:
        UserError: if the file is missing, or holds something else.
    """
    try:
        embeddings = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: no embedding ({error}); run the stage that trains it") from error
    if len(embeddings) != 1 or (rows := next(iter(embeddings.values()))).ndim not in (1, 2):
        raise UserError(
            f"{path}: {len(embeddings)} tensors, not the embedding of a token; restore it"
        )
    return next(iter(embeddings)), rows.reshape(-1, rows.shape[-1])


def read_folder(folder: Path) -> dict[str, Tensor]:
    """Read all `.safetensors` of a folder: tokens to embeddings (vectors, width).

    Raises:
        UserError: if there are none, or one is damaged.
    """
    paths = listed(folder, (".safetensors",))
    if not paths:
        raise UserError(f"{folder}: no embeddings; run `dvc repro personalization_train`")
    return dict(read(path) for path in paths)


def digest(rows: Tensor) -> str:
    """A hash of an embedding, for the identity of what is trained from it."""
    return hashlib.sha256(rows.float().numpy().tobytes()).hexdigest()


def check_learned(
    prompt_specs: Sequence[PromptSpec], learned: Collection[str], source: Path
) -> None:
    """Check that every requested token is among those that are learned.

    Raises:
        UserError: naming the first one that is not.
    """
    for spec in prompt_specs:
        if spec.token not in learned:
            raise UserError(
                f"{source}: {spec.token} is not learned, only {', '.join(learned)};"
                " add it to personalization.concepts and train"
            )


def check_length(
    pipe: Any, prompt_spec: PromptSpec, source: Path, words: str | None = None
) -> None:
    """Check that the text encoder reads each prompt to its end, where a token might stand.

    Args:
        pipe: The pipeline.
        prompt_spec: The entry whose prompts are checked.
        source: The file of the entry, for the message.
        words: What takes the place of the token, if that was not added to the pipeline yet.

    Raises:
        UserError: naming the first prompt that is too long.
    """
    limit = pipe.tokenizer.model_max_length
    for prompt in prompt_spec.prompts:
        text = prompt if words is None else prompt.replace(prompt_spec.token, words)
        text = pipe.maybe_convert_prompt(text, pipe.tokenizer)
        length = len(pipe.tokenizer(text, truncation=False).input_ids)
        if length > limit:
            raise UserError(
                f"{source}: the prompt {prompt[:40]!r}... has {length} tokens, of which the model"
                f" reads {limit}; shorten it"
            )
