"""New tokens of a text encoder: their embeddings are added, trained alone, saved and loaded."""

from collections.abc import Iterator, Mapping, Sequence
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
from hw2.personalization.prompt_specs import PromptSpec
from hw2.runtime.errors import UserError

_APART = 0.02  # spread of vectors with the same initializer, relative to its norm


@dataclass(frozen=True)
class Added:
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


def initial(pipe: Any, word: str, vectors: int) -> Tensor:
    """Initial embedding of a concept, float32 (vectors, width).

    An initializer of one token starts all vectors, which are moved apart a little; otherwise each
    vector starts from a token of its own.

    Raises:
        UserError: if the number of tokens of the initializer is neither 1 nor `vectors`.
    """
    ids = pipe.tokenizer(word, add_special_tokens=False).input_ids
    if len(ids) not in (1, vectors):
        cut = " + ".join(pipe.tokenizer.convert_ids_to_tokens(ids))
        raise UserError(
            f"personalization.concepts: initializer {word!r} has {len(ids)} tokens ({cut}) for"
            f" {vectors} vector(s); choose a word of one token, or set `vectors: {len(ids)}`"
        )
    table = pipe.text_encoder.get_input_embeddings().weight.detach().float().cpu()
    rows = table[ids].expand(vectors, -1).clone() if len(ids) == 1 else table[ids].clone()
    if len(ids) == 1 and vectors > 1:
        turns = torch.arange(vectors)[:, None] * torch.arange(1, table.shape[1] + 1)
        rows += _APART * rows.norm() / table.shape[1] ** 0.5 * torch.sin(turns.float())
    return rows


def add(pipe: Any, token: str, rows: Tensor) -> Added:
    """Add a token with the embedding `rows`, float (vectors, width), to the vocabulary.

    Raises:
        UserError: if the token is in the vocabulary already, or the width does not fit the model.
    """
    wanted = names(token, len(rows))
    taken = sorted(set(wanted) & pipe.tokenizer.get_vocab().keys())
    if taken:
        raise UserError(f"{token}: {taken[0]} is in the vocabulary already; choose another token")
    width = pipe.text_encoder.get_input_embeddings().weight.shape[1]
    if rows.shape[1] != width:
        raise UserError(
            f"{token}: an embedding of width {rows.shape[1]} for a text encoder of width {width};"
            " it was learned with another model; train it with this one"
        )
    pipe.tokenizer.add_tokens(wanted)
    ids = pipe.tokenizer.convert_tokens_to_ids(wanted)
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer), mean_resizing=False)
    put(pipe, Added(token, tuple(ids)), rows)
    return Added(token, tuple(ids))


@torch.no_grad()
def put(pipe: Any, added: Added, rows: Tensor) -> None:
    """Set the embedding of a token."""
    table = pipe.text_encoder.get_input_embeddings().weight
    table[list(added.ids)] = rows.to(table)


class _Rows(nn.Module):
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
def trainable(pipe: Any, every: tuple[Added, ...]) -> Iterator[nn.Parameter]:
    """The embeddings of these tokens as a single parameter float32 (vectors of all, width).

    It is the only parameter for the optimizer, so neither weight decay nor moments can change other
    embeddings. On exit it is written back into the table.
    """
    encoder = pipe.text_encoder
    old = encoder.get_input_embeddings()
    ids = [k for added in every for k in added.ids]
    rows = nn.Parameter(old.weight.detach()[ids].float().clone())
    encoder.set_input_embeddings(_Rows(old, ids, rows))
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
        result = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: no embedding ({error}); run the stage that trains it") from error
    if len(result) != 1 or (rows := next(iter(result.values()))).ndim not in (1, 2):
        raise UserError(f"{path}: {len(result)} tensors, not the embedding of a token; restore it")
    return next(iter(result)), rows.reshape(-1, rows.shape[-1])


def of_folder(folder: Path) -> dict[str, Tensor]:
    """Read all `.safetensors` of a folder: tokens to embeddings (vectors, width).

    Raises:
        UserError: if there are none, or one is damaged.
    """
    paths = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    if not paths:
        raise UserError(f"{folder}: no embeddings; run `dvc repro personalization_train`")
    return dict(read(path) for path in paths)


def known(asked: Sequence[PromptSpec], rows: Mapping[str, Tensor], source: Path) -> None:
    """Check that every requested token was learned.

    Raises:
        UserError: naming the first one that was not.
    """
    for item in asked:
        if item.token not in rows:
            raise UserError(
                f"{source}: {item.token} was not learned, only {', '.join(rows)};"
                " add it to personalization.concepts and train"
            )
