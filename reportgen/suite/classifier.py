"""The settings of a classifier's model, and the cells that there are."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from reportgen.suite.base import Count, FractionOrZero, Positive, RecurrentCell, Yes
from reportgen.suite.own import OWN, MayBeOwn, file_of_own, is_own

KnownCell = Literal[RecurrentCell, "handwritten_rnn_i2h_i2o"]
KNOWN_CELLS: tuple[str, ...] = get_args(KnownCell)


def _cell(value: object, cells: tuple[str, ...] = KNOWN_CELLS) -> str:
    if isinstance(value, str) and (value in cells or is_own(value)):
        return value
    known = ", ".join(map(repr, cells))
    raise PydanticKnownError("literal_error", {"expected": f"{known} or a class of your own, file.py:Class"})


Cell = Annotated[
    str,
    PlainValidator(lambda value: _cell(value)),
    WithJsonSchema({"anyOf": [{"enum": list(KNOWN_CELLS)}, {"type": "string", "pattern": OWN}]}),
]


def _recurrent(value: object) -> str:
    return _cell(value, get_args(RecurrentCell))


OwnOrRecurrentCell = Annotated[
    str,
    PlainValidator(_recurrent),
    WithJsonSchema({"anyOf": [{"enum": list(get_args(RecurrentCell))}, {"type": "string", "pattern": OWN}]}),
]
"""A cell that every task has, or one of the user's own."""

PACKAGED_VECTORS = "glove-6b-50d"
FILES_OF_SETTINGS = ("vectors", "cell", "module", "loss")
"""Settings of a model or a training that may name a file."""


def file_of_setting(setting: str, value: object) -> str | None:
    """Return the file that a setting names, such as `vectors`, `cell` or `loss`; None where it names none."""
    if setting in ("cell", "module", "loss"):
        return file_of_own(value)
    if setting == "vectors" and isinstance(value, str) and value != PACKAGED_VECTORS:
        return value
    return None


def _names_vectors(value: str) -> str:
    if value != PACKAGED_VECTORS and not value.endswith(".txt"):
        raise PydanticCustomError("vectors", f"{PACKAGED_VECTORS}, or a file glove.*.txt beside the suite")
    return value


_PLAIN = {
    "layers": 1, "pooling": "last", "embedding_size": None, "vectors": None, "head_size": None, "dropout": 0.0,
}  # fmt: skip


class ModelSettings(MayBeOwn):
    """A recurrent classifier: symbols in, a recurrent network, its states pooled, one or two linear layers."""

    cell: Cell = Field(
        description="torch.nn's RNN, LSTM or GRU, one of them by hand, or your own class: my_models.py:MyLSTM."
    )
    hidden_size: Count = Field(128, le=16_384, description="Size of the hidden state.")
    layers: Count = Field(1, le=64, description="Recurrent layers, one on top of the other.")
    bidirectional: Yes = Field(False, description="Read the sequence from both ends; needs packed: true.")
    recurrent_dropout: FractionOrZero = Field(0.0, description="Dropout between recurrent layers.")
    packed: Yes = Field(False, description="Pack the sequences, so that the network never sees padding.")
    pooling: Literal["last", "mean", "max"] = Field(
        "last", description="What goes on to the linear layers: the last state, or the mean or maximum of all."
    )
    embedding_size: Annotated[Count, Field(le=16_384)] | None = Field(
        None, description="Size of the learnt embedding; without it symbols enter one-hot."
    )
    embedding_std: Positive = Field(
        1.0, description="Standard deviation of the embedding's initial weights; torch's own is 1."
    )
    vectors: Annotated[str, Field(strict=True), AfterValidator(_names_vectors)] | None = Field(
        None, description=f"Word vectors that the embedding begins with: {PACKAGED_VECTORS} or a file glove.*.txt."
    )
    vectors_frozen: Yes = Field(False, description="Leave the word vectors as they are; else they are trained on.")
    head_size: Annotated[Count, Field(le=16_384)] | None = Field(
        None, description="Size of a linear layer between the pooled state and the output layer."
    )
    activation: Literal["relu", "sigmoid", "tanh"] = Field("relu", description="Activation after that layer.")
    dropout: FractionOrZero = Field(0.0, description="Dropout before the output layer while training.")
    log_softmax: Yes = Field(False, description="End with LogSoftmax, which cross_entropy takes as it is.")

    @model_validator(mode="after")
    def _asks_of_a_cell_what_it_has(self) -> "ModelSettings":
        by_hand = self.cell.startswith("handwritten_") or is_own(self.cell)
        if by_hand and (self.bidirectional or self.packed or self.recurrent_dropout):
            raise PydanticCustomError(
                "rule", "no bidirectional, packed or recurrent_dropout with {cell}; torch.nn's cells have them",
                {"cell": self.cell},
            )  # fmt: skip
        if self.cell == "handwritten_rnn_i2h_i2o" and {**self.model_dump(), **_PLAIN} != self.model_dump():
            raise PydanticCustomError(
                "rule", "no layers, pooling, embedding_size, vectors, head_size or dropout with {cell}, "
                "whose two linear layers are the whole model", {"cell": self.cell},
            )  # fmt: skip
        if self.bidirectional and not self.packed:
            # the backward direction would begin with the padding
            raise PydanticCustomError("rule", "packed: true with bidirectional: true")
        if self.recurrent_dropout and self.layers == 1:
            raise PydanticCustomError("rule", "layers of 2 or more with recurrent_dropout")
        return self

    @model_validator(mode="after")
    def _has_one_embedding(self) -> "ModelSettings":
        if self.vectors is not None and self.embedding_size is not None:
            raise PydanticCustomError("rule", "vectors, which have a size of their own, or an embedding_size")
        if self.vectors is None and self.vectors_frozen:
            raise PydanticCustomError("rule", "vectors with vectors_frozen: true")
        return self
