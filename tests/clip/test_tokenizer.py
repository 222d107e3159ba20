"""The small vocabulary has CLIP's own tokens, and one for each word of captions and prompts."""

from pathlib import Path

import open_clip
import pytest

from hw2.clip import open_clip_folder, prompts, tokenizer
from hw2.shapes import vocabulary

INVENTED = (*vocabulary.nouns(300), *vocabulary.style_names(40))
WORDS = (*prompts.words(), *vocabulary.words(300, 40))


@pytest.fixture(scope="module")
def merges() -> bytes:
    return tokenizer.single_token_merges(WORDS)


@pytest.fixture(scope="module")
def small(merges: bytes, tmp_path_factory: pytest.TempPathFactory) -> open_clip.SimpleTokenizer:
    path = tmp_path_factory.mktemp("bpe") / "merges.txt.gz"
    path.write_bytes(merges)
    return open_clip.SimpleTokenizer(str(path), context_length=open_clip_folder.CONTEXT)


def test_the_size_agrees_with_open_clip(merges: bytes, small: open_clip.SimpleTokenizer) -> None:
    assert tokenizer.size(merges) == small.vocab_size
    assert 900 < small.vocab_size < 2000
    assert "" not in small.encoder
    assert merges == tokenizer.single_token_merges(WORDS)


def test_every_word_is_a_single_token(small: open_clip.SimpleTokenizer) -> None:
    assert [word for word in WORDS if len(small.encode(word)) != 1] == []


def test_more_words_do_not_change_how_others_are_split(
    small: open_clip.SimpleTokenizer, tmp_path: Path
) -> None:
    (tmp_path / "more.txt.gz").write_bytes(
        tokenizer.single_token_merges([*WORDS, *vocabulary.nouns(600)])
    )
    larger = open_clip.SimpleTokenizer(str(tmp_path / "more.txt.gz"))
    for word in (*WORDS, "zebra", "giraffe"):
        assert [larger.decoder[k] for k in larger.encode(word)] == [
            small.decoder[k] for k in small.encode(word)
        ]


def test_any_other_text_has_tokens_too(small: open_clip.SimpleTokenizer) -> None:
    for text in ("a photo of a zebra", "naïve café", "x" * 40, "日本"):
        assert small.decode(small.encode(text)).strip() == text
    assert small(["a " * 60]).shape == (1, open_clip_folder.CONTEXT)


def test_no_built_in_prompt_is_truncated(small: open_clip.SimpleTokenizer) -> None:
    longest = "yellow triangle"
    for name, templates in prompts.built_in().items():
        for template in templates:
            ids = small.encode(template.format(longest))
            assert len(ids) + 2 <= open_clip_folder.CONTEXT, (name, template)


def test_sizes_of_the_built_in_prompt_sets() -> None:
    sizes = {name: len(set(templates)) for name, templates in prompts.built_in().items()}
    assert sizes == {
        "course": 1, "article": 1, "cifar18": 18, "imagenet80": 80, "textures": 3, "shapes": 45,
    }  # fmt: skip
    assert all(t.count("{}") == 1 for templates in prompts.built_in().values() for t in templates)


def test_transformers_has_the_same_ids(merges: bytes, small: open_clip.SimpleTokenizer) -> None:
    theirs = tokenizer.transformers_tokenizer(merges, open_clip_folder.CONTEXT)
    for text in ("A photo of a red circle.", "a striped star next to a zebra", "", "naïve café"):
        row = small([text])[0]
        assert theirs(text).input_ids == row[: int(row.argmax()) + 1].tolist()
