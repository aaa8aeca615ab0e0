"""Logs of runs that were trained elsewhere: read if they can be, else refused with file and line."""

import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import CSV, KERAS, LIGHTNING, TWO_LINES

from reportgen.errors import InputError
from reportgen.importers.log import Log
from reportgen.importers.names import meaning
from reportgen.importers.records import READERS, digest_of, format_of, read
from reportgen.lab.record import Record
from reportgen.suite.imports import Format, ImportSettings
from reportgen.tasks.classification.context import log as epoch_log


def log_of(folder: Path, text: str | bytes, name: str = "log.txt", **asked: object) -> Log:
    """Write a log and read it."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(file, ImportSettings.model_validate({"path": str(file), **asked}))


def refused(folder: Path, text: str | bytes, name: str = "log.txt", **asked: object) -> str:
    """Return the message about a log that cannot be read, from its line on."""
    with pytest.raises(InputError) as caught:
        log_of(folder, text, name, **asked)
    assert str(caught.value).startswith(f"{folder / name}:")
    return str(caught.value).removeprefix(f"{folder / name}:")


def column(log: Log, name: str) -> list[float]:
    """Return a column of the epochs."""
    return [row[name] for row in log.epochs]


def test_the_two_lines_of_an_epoch_are_read(tmp_path: Path) -> None:
    """Losses and accuracies come with their epochs; the last epoch is the one that was tested."""
    log = log_of(tmp_path, TWO_LINES)
    assert column(log, "epoch") == [1, 2]
    assert column(log, "train_loss") == [0.589669, 0.389669]
    assert column(log, "train_accuracy") == [0.674022, 0.824022]
    assert column(log, "heldout_loss") == [0.4921, 0.3921]
    assert column(log, "heldout_accuracy") == [0.7615, 0.8532]
    assert (log.heldout, log.kept_epoch, log.test_loss, log.test_accuracy) == ("test", 2, 0.3921, 0.8532)


WRITTEN_OTHERWISE: dict[str, Callable[[str], str | bytes]] = {
    "a mark at the beginning": lambda text: text.encode("utf-8-sig"),
    "UTF-16, as Windows' shell writes": lambda text: text.encode("utf-16"),
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "line ends of all kinds": lambda text: text.replace("\nTest", "\r\nTest").replace("\nTrain", "\rTrain"),
    "full-width punctuation": lambda text: text.replace(":", "：").replace(",", "，"),
    "full-width figures": lambda text: text.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"}),
    "decimal commas": lambda text: text.replace("0.", "0,"),
    "other lines between": lambda text: f"Downloading...\n{text}Time: 83 s\n100%|██| 391/391 loss=0.3\n",
    "labels in Chinese": lambda text: text.replace("Train Epoch", "训练轮次").replace("Loss", "损失")
        .replace("Acc:", "准确率:").replace("Test set: Average loss:", "测试集：平均损失：")
        .replace(", Accuracy:", "，准确率："),
    "counts of epochs": lambda text: text.replace("Epoch: 1", "Epoch 1/2").replace("Epoch: 2", "Epoch 2/2"),
    "epochs from 0": lambda text: text.replace("Epoch: 1", "Epoch: 0").replace("Epoch: 2", "Epoch: 1"),
    "percent signs": lambda text: text.replace("0.7615", "76.15%").replace("0.8532", "85.32 %"),
}  # fmt: skip


@pytest.mark.parametrize("otherwise", WRITTEN_OTHERWISE.values(), ids=WRITTEN_OTHERWISE)
def test_what_means_the_same_is_read_the_same(tmp_path: Path, otherwise: Callable[[str], str | bytes]) -> None:
    """Punctuation, line ends, encodings and words may differ."""
    found, wanted = log_of(tmp_path, otherwise(TWO_LINES)), log_of(tmp_path, TWO_LINES)
    assert column(found, "epoch") == [1, 2]
    for name in ("train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy"):
        assert column(found, name) == pytest.approx(column(wanted, name), abs=1e-12)


def test_counts_of_right_answers_are_accuracies(tmp_path: Path) -> None:
    """PyTorch's examples print `9773/10000 (98%)`, of which the count is the more exact."""
    text = TWO_LINES.replace("0.8532", "9773/10000 (98%)")
    assert log_of(tmp_path, text).test_accuracy == 0.9773


FORMS = {
    "csv": ("log.csv", CSV),
    "csv with semicolons and decimal commas": ("log.csv", CSV.replace(",", ";").replace("0.", "0,")),
    "csv with full-width commas": ("log.csv", CSV.replace(",", "，")),
    "csv in other columns": (
        "log.csv",
        "\ufeffval_accuracy,epoch,val_loss,note,accuracy,loss\n0.65,1,0.6,x,0.7,0.5\n\n0.75,2,0.5,,0.8,0.4\n",
    ),
    "csv without epochs": ("log.csv", "loss,accuracy,val_loss,val_accuracy\n0.5,0.7,0.6,0.65\n0.4,0.8,0.5,0.75\n"),
    "keras": ("history.json", KERAS),
    "keras's whole history": ("history.json", f'{{"epoch": [0, 1], "history": {KERAS}, "params": {{}}}}'),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), FORMS.values(), ids=FORMS)
def test_every_form_of_a_log_gives_the_same_epochs(tmp_path: Path, name: str, text: str) -> None:
    """The usual names of columns are known; the test figures of a log that has none are missing."""
    log = log_of(tmp_path, text, name)
    assert column(log, "train_loss") == [0.5, 0.4]
    assert column(log, "train_accuracy") == [0.7, 0.8]
    assert column(log, "heldout_loss") == [0.6, 0.5]
    assert column(log, "heldout_accuracy") == [0.65, 0.75]
    assert (log.heldout, log.kept_epoch, math.isnan(log.test_accuracy)) == ("validation", 0, True)


def test_rows_with_gaps_are_merged_by_epoch(tmp_path: Path) -> None:
    """Lightning writes validation, training and test in rows of their own; its epochs begin with 0."""
    log = log_of(tmp_path, LIGHTNING, "metrics.csv")
    assert (column(log, "epoch"), column(log, "train_loss")) == ([1, 2], [0.5, 0.4])
    assert column(log, "heldout_accuracy") == [0.65, 0.75]
    assert (log.test_loss, log.test_accuracy) == (0.55, 0.7)
    assert log.columns["train_loss"] == "train_loss_epoch"


def test_columns_are_mapped_by_name(tmp_path: Path) -> None:
    """What the suite calls a column counts before the usual names."""
    text = "n,loss,other,zeit\n1,9,0.5,3\n2,9,0.4,4\n"
    columns = {"epoch": "n", "train_loss": "other", "seconds": "zeit"}
    log = log_of(tmp_path, text, "log.csv", columns=columns)
    assert (column(log, "train_loss"), column(log, "seconds"), log.heldout) == ([0.5, 0.4], [3, 4], "")


def test_a_whole_column_may_be_in_percent(tmp_path: Path) -> None:
    """With `percent: true` every accuracy is divided by 100, and no loss is."""
    log = log_of(tmp_path, "epoch,loss,accuracy\n1,1.5,67\n2,1.2,0.8\n", "log.csv", percent=True)
    assert (column(log, "train_loss"), column(log, "train_accuracy")) == ([1.5, 1.2], [0.67, 0.008])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.txt", TWO_LINES.replace("0.389669", "nan").replace("0.3921", "nan")),
        ("log.csv", CSV.replace("2,0.4", "2,NaN")),
        ("history.json", KERAS.replace("[0.5, 0.4]", "[0.5, Infinity]")),
        ("log.txt", TWO_LINES.partition("Train Epoch: 2")[0] + "Diverged: the loss is not finite in epoch 2\n"),
    ],
)
def test_a_loss_that_ends_as_nan_is_a_run_that_diverged(tmp_path: Path, name: str, text: str) -> None:
    """The epochs before are kept, and nothing counts as tested."""
    log = log_of(tmp_path, text, name)
    assert (len(log.epochs), log.stopped) == (1, "the loss is not finite in epoch 2")
    assert (log.kept_epoch, math.isnan(log.test_loss)) == (0, True)


REFUSED: list[tuple[str, str | bytes, dict[str, object], str]] = [
    ("log.txt", TWO_LINES.replace("Epoch: 2", "Epoch: 3"), {}, "3: got epoch 3 after epoch 1, expected epoch 2"),
    ("log.txt", TWO_LINES * 2, {}, "5: got 2 runs, which begin at the lines 1, 5, expected one run; say which: "
        "import.run: 1 to 2"),
    ("log.txt", TWO_LINES.replace("Epoch: 1", "Epoch: 7"), {}, "1: got epoch 7 first, expected epoch 1, or 0"),
    ("log.txt", TWO_LINES.rsplit("Test", 1)[0], {}, "3: got epoch 2 without a test line, expected one, "),
    ("log.txt", TWO_LINES.replace("0.389669", "o.389669"), {}, "3: loss: got 'o.389669 Acc', expected a number"),
    ("log.txt", TWO_LINES.replace("0.389669", "1,389"), {}, "3: train_loss: got '1,389', expected a number "
        "without a doubt: 1.389 or 1389"),
    ("log.txt", TWO_LINES.replace("0.8532", "85.32"), {}, "4: test_accuracy: got '85.32', expected a fraction "
        "of 1, or a number with %; import.percent: true reads all of them as percentages"),
    ("log.txt", TWO_LINES.replace("0.8532", "110%"), {}, "4: test_accuracy: got '110%', expected an accuracy fro"),
    ("log.txt", TWO_LINES.replace("0.8532", "11/10"), {}, "4: test_accuracy: got '11/10', expected at most as ma"),
    ("log.txt", TWO_LINES.replace("Loss: 0.389669", "[0/60000 (0%)] Loss: 2.3"), {}, "3: got epoch 2 without "
        "a train line, expected one, as the others"),
    ("log.txt", TWO_LINES.replace("0.824022", "nan"), {}, "3: train_accuracy: got nan in epoch 2, expected a fin"),
    ("log.txt", TWO_LINES.replace("0.589669", "nan"), {}, "1: train_loss: got nan in epoch 1, and numbers after"),
    ("log.txt", "nothing of the kind\n", {}, "1: got no epochs, expected a log of at least one epoch"),
    ("log.txt", b"Train Epoch: 1 Loss: 0.5\n\xff\n", {}, "2: got the byte 0xff, which is not UTF-8, expected"),
    ("log.csv", CSV.replace("0.", "0,"), {}, "2: got 9 cells ('1,0,5,0,7,0,6,0,65'), expected 5, one a column; "),
    ("log.csv", CSV.replace("2,0.4", "3,0.4"), {}, "3: got epoch 3 after epoch 1, expected epoch 2"),
    ("log.csv", CSV.replace("2,0.4", "2.5,0.4"), {}, "3: epoch: got '2.5', expected a whole number"),
    ("log.csv", CSV.replace("val_loss", "loss"), {}, "1: got the column 'loss' a second time, expected each colu"),
    ("log.csv", "a,b\n1,2\n", {}, "1: got the names a, b, expected train_loss, validation_loss or another of the"),
    ("log.csv", CSV, {"columns": {"train_loss": "los"}}, "1: columns.train_loss: got the names "
        "epoch, loss, accuracy, val_loss, val_accuracy, expected 'los' among them; did you mean 'loss'?"),
    ("log.csv", "", {}, "1: got the names of no column, expected train_loss"),
    ("metrics.csv", LIGHTNING.replace("0,9,,0.71", "0,9,0.7,0.71"), {}, "4: train_loss: got a second value in "
        "epoch 0, expected one an epoch; was it logged a step?"),
    ("metrics.csv", CSV.replace("epoch", "step"), {}, "1: got no column for the epoch beside that of the st"),
    ("history.json", '{"loss": [0.5,\n 0.4],}', {}, "2: got "),
    ("history.json", "[1, 2]", {}, "1: got a list, expected a list a metric"),
    ("history.json", KERAS.replace("[0.5, 0.4]", "[0.5]"), {}, "1: got lists of different lengths (loss: 1, accu"),
    ("history.json", KERAS.replace("0.4]", "[0.4]]"), {}, "1: got list in loss[1], expected a number"),
    ("events.out.tfevents.1", b"nothing", {}, "1: got no scalars, expected an event file"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "asked", "message"), REFUSED)
def test_what_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, name: str, text: str | bytes, asked: dict[str, object], message: str
) -> None:
    """A missing epoch, a number that is none or in doubt, a line of another form: file, line, what is expected."""
    if "tfevents" in name:
        pytest.importorskip("tensorboard")
    assert refused(tmp_path, text, name, **asked).startswith(message)


def test_event_files_are_read(tmp_path: Path) -> None:
    """The scalars of TensorBoard's event files, by tag; their step is the epoch, or a tag tells it."""
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    for folder, steps in (("by_epoch", [0, 1]), ("by_step", [390, 780])):
        with SummaryWriter(str(tmp_path / folder)) as writer:
            for epoch, step in enumerate(steps):
                writer.add_scalar("Loss/train", 0.5 - epoch / 4, step)
                writer.add_scalar("Accuracy/val", 0.5 + epoch / 4, step)
                writer.add_scalar("epoch", epoch, step)
                writer.add_text("note", "no scalar", step)
        (file,) = (tmp_path / folder).iterdir()
        log = read(file, ImportSettings(path=(str(file),)))
        assert (column(log, "train_loss"), column(log, "heldout_accuracy")) == ([0.5, 0.25], [0.5, 0.75])
        assert log.columns["validation_accuracy"] == "Accuracy/val"


def test_folders_of_add_scalars_are_heeded(tmp_path: Path) -> None:
    """`add_scalars("Loss", {"train": …, "val": …})` leaves a file a curve, in folders beside the main file."""
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for epoch in (0, 1):
            writer.add_scalars("Loss", {"train": 0.5 - epoch / 4, "val": 0.75 - epoch / 4}, epoch)
            writer.add_scalar("Accuracy/val", 0.5 + epoch / 4, epoch)
            writer.add_scalar("lr", 0.125, epoch)
    main = next(file for file in tmp_path.iterdir() if file.is_file())
    log = read(main, ImportSettings(path=(str(main),)))
    assert (column(log, "train_loss"), column(log, "heldout_loss")) == ([0.5, 0.25], [0.75, 0.5])
    assert (column(log, "heldout_accuracy"), log.unread) == ([0.5, 0.75], ("lr",))
    (one,) = (tmp_path / "Loss_val").iterdir()
    assert read(one, ImportSettings(path=(str(one),))).columns == {"validation_loss": "Loss/val"}
    before = digest_of(main)
    one.write_bytes(one.read_bytes() + b"more")
    assert digest_of(main) != before


def test_the_content_of_a_log_tells_its_format() -> None:
    """Keras's CSVLogger('training.log') is a table, and what pandas and Keras write is JSON, whatever its name."""
    contents = {"training.log": CSV, "a.txt": TWO_LINES, "history": KERAS, "metrics.csv": LIGHTNING}
    found = {
        name: format_of(Path(name), text.encode(), ImportSettings(path=(name,))) for name, text in contents.items()
    }
    assert found == {"training.log": "csv", "a.txt": "text", "history": "json", "metrics.csv": "csv"}
    events = Path("events.out.tfevents.17.host")
    assert format_of(events, b"", ImportSettings(path=("x",))) == "tensorboard"


def test_what_formats_were_called_is_still_understood() -> None:
    """A suite that says two_line, keras or lightning is read as before."""
    former = {"two_line": "text", "keras": "json", "lightning": "csv", "csv": "csv"}
    for name, now in former.items():
        assert ImportSettings.model_validate({"path": "a.log", "format": name}).format == now


FRACTIONS = st.integers(0, 10_000).map(lambda n: n / 10_000)
LOSSES = st.integers(0, 10_000_000).map(lambda n: n / 10_000)
EPOCHS = st.lists(st.tuples(LOSSES, FRACTIONS, LOSSES, FRACTIONS), min_size=1, max_size=8)


@given(EPOCHS, st.sampled_from(["validation", "test"]), LOSSES, FRACTIONS, st.data())
@settings(deadline=None, max_examples=60)
def test_a_log_that_a_report_prints_reads_back_equal(
    epochs: list[tuple[float, float, float, float]],
    heldout: str,
    loss: float,
    accuracy: float,
    data: st.DataObject,
) -> None:
    """What our own reports print as a log can be imported, and says the same."""
    names = ("train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy")
    rows = [{"epoch": i, **dict(zip(names, row, strict=True)), "seconds": 0.0} for i, row in enumerate(epochs, 1)]
    validated = heldout == "validation"
    kept = data.draw(st.integers(1, len(rows))) if validated else len(rows)
    tested = (loss, accuracy) if validated else epochs[-1][2:]
    record = Record(
        key="", parts={}, settings={}, seed=0, status="finished", error="", model={}, data={}, environment={},
        started="", seconds=0.0, epochs=rows, heldout=heldout, kept_epoch=kept,
        measures={"test_loss": tested[0], "test_accuracy": tested[1]},
    )  # fmt: skip
    log = READERS["text"](Path("log.txt"), epoch_log(record).encode(), ImportSettings(path=("log.txt",)))
    for name in ("epoch", *names):
        assert column(log, name) == [row[name] for row in rows]
    assert (log.heldout, log.kept_epoch, (log.test_loss, log.test_accuracy)) == (heldout, kept, tested)


@given(
    EPOCHS,
    st.sampled_from(",;\t"),
    st.booleans(),
    st.permutations(["epoch", "loss", "acc", "val_loss", "val_acc"]),
)
@settings(deadline=None, max_examples=60)
def test_a_table_that_is_written_reads_back_equal(
    epochs: list[tuple[float, float, float, float]], separator: str, commas: bool, order: list[str]
) -> None:
    """Whatever the separator, the order of the columns and the decimal mark."""
    lines = [separator.join(order)]
    for i, row in enumerate(epochs, 1):
        cells = dict(
            zip(("epoch", "loss", "acc", "val_loss", "val_acc"), (i, *map("{:.6f}".format, row)), strict=True)
        )
        written = [str(cells[name]) for name in order]
        lines.append(
            separator.join(cell.replace(".", ",") if commas and separator != "," else cell for cell in written)
        )
    log = READERS["csv"](Path("log.csv"), "\n".join(lines).encode(), ImportSettings(path=("log.csv",)))
    names = ("train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy")
    assert [tuple(row[name] for name in names) for row in log.epochs] == epochs


SAMPLES: dict[Format, str] = {"text": TWO_LINES, "csv": CSV + LIGHTNING, "json": KERAS}


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2**32), st.integers(1, 6))
@settings(deadline=None, max_examples=400)
def test_a_mutated_log_is_read_or_refused(form: Format, seed: int, changes: int) -> None:
    """Bytes that are changed, doubled or lost give a log or one message, and nothing else."""
    content, dice = bytearray(SAMPLES[form].encode()), random.Random(seed)  # noqa: S311 - no secret
    for _ in range(changes):
        place = dice.randrange(len(content) or 1)
        piece = dice.choice(
            [b"", b",", b"\n", b"\r", b"\x00", b'"', b"nan", b"-", b"1e999", "：".encode(), b"\xff", b"{", b"9"]
        )
        end = place + dice.choice([0, 1, 1, 5, 40])
        content[place:end] = dice.choice([piece, bytes(content[place:end]) * 2])
    try:
        log = READERS[form](Path("log"), bytes(content), ImportSettings(path=("log",)))
    except InputError as error:
        assert str(error).startswith("log:")  # noqa: PT017 - either is right
    else:
        assert all(row["epoch"] == i for i, row in enumerate(log.epochs, 1))
        assert all(0 <= v <= 1 or math.isnan(v) for v in (*column(log, "heldout_accuracy"), log.test_accuracy))


NAMES = {
    "train_loss": "train_loss Training_Loss loss/train trainLoss train_loss_epoch 训练损失 训练集平均损失",
    "validation_accuracy": "val_acc Val_Accuracy valid_acc dev_acc eval_accuracy 验证准确率 acc/val",
    "test_accuracy": "test_acc accuracy/test 测试准确率 测试集正确率",
    "loss": "loss Loss 损失 cost average_loss",
    "seconds": "seconds epoch_time Epoch.Time secs",
    "time": "time elapsed 用时",
    "epoch": "epoch Epochs 轮次",
    "": "best_val_loss val_f1 lr train_loss_step running_loss step val_loss_std train_test_loss time_train total",
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_means_what_all_of_its_words_say(what: str) -> None:
    """Part and measure, in either order and language; one unknown word, and the name is not understood."""
    assert {name: meaning(name) for name in NAMES[what].split()} == dict.fromkeys(NAMES[what].split(), what)
