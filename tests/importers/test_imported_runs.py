"""A run that was trained elsewhere in a suite: planned, kept, shown beside the others, and marked."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest
from conftest import Command, build, golden_files

from reportgen import pipeline
from reportgen.errors import InputError
from reportgen.lab.record import from_files
from reportgen.planning.plan import Action
from reportgen.preview.rendering import Renderer
from reportgen.storage.records import Store

LOG = """\
Train Epoch: 1 Loss: 0.589669 Acc: 0.674022
Test set: Average loss: 0.4921, Accuracy: 0.9715
Train Epoch: 2 Loss: 0.389669 Acc: 0.824022
Test set: Average loss: 0.3921, Accuracy: 0.9832
"""
SUITE = """\
title: {zh: 导入, en: Imports}
data: {source: surnames, languages: [Chinese, Greek, Russian], limit: 300}
training: {epochs: 3, batch_size: 32, learning_rate: 0.01}
model: {hidden_size: 12}
runs:
  - {name: rnn, label: RNN, model: {cell: rnn}}
  - name: colab
    label: LSTM
    baseline: rnn
    model: {cell: lstm}
    import:
      path: "lstm-{seed}.txt"
      same_data: true
  - {name: keras, import: {path: history.json}}
seeds: [0, 1]
device: cpu
formats: [md]
"""
ALONE = """\
title: {zh: 导入, en: Imports}
data: {source: surnames}
runs:
  - {name: a, import: {path: lstm-0.txt, same_data: true}}
  - {name: b, import: {path: [lstm-1.txt], same_data: true}}
formats: [md]
"""


def lab(folder: Path, suite: str = SUITE) -> Path:
    """Write a suite with its logs, and put the golden records of its trained runs into its store."""
    for seed, accuracy in ((0, "0.9832"), (1, "0.9632")):
        (folder / f"lstm-{seed}.txt").write_text(LOG.replace("0.9832", accuracy), "utf-8")
    (folder / "history.json").write_text(
        '{"loss": [0.5, 0.4], "val_loss": [0.6, 0.7], "val_accuracy": [0.6, 0.7]}'
    )
    (folder / "suite.yaml").write_text(suite, "utf-8")
    return folder / "suite.yaml"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Outcome:
    """The suite with a trained and two imported models; the trained runs are those of the golden records."""
    folder = tmp_path_factory.mktemp("imported")
    suite = lab(folder)
    store = Store(folder / "build" / "records")
    for step in pipeline.plan(pipeline.load(suite), store).steps:
        if step.action is Action.TRAIN:
            store.write(step.key, golden_files(step))
    return build(suite, folder / "build")


@pytest.fixture(scope="module")
def report(built: pipeline.Outcome) -> str:
    """Its English report."""
    return (built.folder / "report.en.md").read_text("utf-8")


def test_the_logs_are_read_and_nothing_is_trained(built: pipeline.Outcome) -> None:
    """Three logs become three records; the runs beside them are reused."""
    assert (built.trained, built.imported, built.reused, built.unfinished) == (0, 3, 2, [])


def test_imported_runs_stand_in_the_table_with_a_mark(report: str) -> None:
    """Their figures are those of the logs, what a log does not say is a dash, and the best is the best."""
    # the interval of a log is over its seeds, whose spread is drawn towards that of all models
    row = (
        re.escape("| LSTM† | **0.3921** ± 0.0000 | **97.32%** ± 1.41% | ")
        + r"\[([\d.]+)%, ([\d.]+)%\] \| — \| — \|"
    )
    (limits,) = re.findall(row, report)
    assert float(limits[0]) < 97.32 < float(limits[1]) <= 100
    assert "| keras† (1 seed) | — | — | — | — | — |" in report
    assert "percentage points ahead of RNN on average" in report


def test_the_report_says_which_log_stands_for_a_run(built: pipeline.Outcome, report: str) -> None:
    """The note has each log's name, format and digest; where it lies is not told."""
    digest = hashlib.sha256((built.folder.parents[1] / "lstm-0.txt").read_bytes()).hexdigest()
    assert f"| colab/seed=0 | lstm-0.txt | text | `{digest[:16]}` |" in report
    assert "A run marked † was not trained here" in report
    assert "keras†: on which examples this was tested is not known either" in report
    assert str(built.folder.parents[1]) not in report


def test_sections_that_need_predictions_show_the_best_that_has_some(report: str) -> None:
    """The leader was imported, so that classes and confusions are those of the trained model."""
    assert "LSTM† has the highest test accuracy of these runs" in report
    assert "lists precision, recall and F1 of RNN for each class" in report
    assert "confusion-rnn.en.svg" in report
    assert "confusion-colab" not in report


def test_curves_have_the_imported_epochs(built: pipeline.Outcome) -> None:
    """The log of a run without test figures is in the curves all the same."""
    curves = (built.folder / "tables" / "curves.csv").read_text("utf-8").splitlines()
    assert any(row.startswith("keras,heldout_loss,2.0,0.7,1") for row in curves), curves
    assert "keras†" in (built.folder / "figures" / "loss.en.svg").read_text("utf-8")


def test_the_chinese_report_says_the_same(built: pipeline.Outcome) -> None:
    """The mark, the note and the digest stand in the other language, too."""
    text = (built.folder / "report.zh.md").read_text("utf-8")
    assert "标有†的模型不是在本次实验中训练的" in text
    # the interval of a log is over its seeds, whose spread is drawn towards that of all models
    row = (
        re.escape("| LSTM† | **0.3921** ± 0.0000 | **97.32%** ± 1.41% | ")
        + r"\[([\d.]+)%, ([\d.]+)%\] \| — \| — \|"
    )
    (limits,) = re.findall(row, text)
    assert float(limits[0]) < 97.32 < float(limits[1]) <= 100


def test_a_second_build_reads_nothing_anew(built: pipeline.Outcome, tmp_path: Path) -> None:
    """Unchanged logs are reused; one that changes is read again, and it alone."""
    before = built.folder.parents[1]
    assert build(before / "suite.yaml", before / "build").up_to_date
    folder = tmp_path / "lab"
    shutil.copytree(before, folder)
    (folder / "lstm-1.txt").write_text(LOG, "utf-8")
    steps = pipeline.plan(pipeline.load(folder / "suite.yaml"), Store(folder / "build" / "records")).steps
    assert [step.run.name for step in steps if step.action is Action.IMPORT] == ["colab/seed=1"]


def test_a_record_says_what_it_was_read_from(built: pipeline.Outcome) -> None:
    """Digest, format and columns are in the record, with no environment, for nothing ran here."""
    store = Store(built.folder.parent / "records")
    steps = pipeline.plan(pipeline.load(built.folder.parents[1] / "suite.yaml"), store).steps
    record = from_files(store.read(steps[-1].key) or {})
    assert (steps[-1].run.name, record.measures["import"]["format"]) == ("keras/seed=0", "json")
    assert record.measures["import"]["columns"]["train_loss"] == "loss"
    assert (record.environment, record.predictions, record.model) == ({}, {}, {})


def test_a_suite_of_logs_alone_is_a_report(tmp_path: Path) -> None:
    """Nothing is trained and no data are read: the sections say so, and the logs are compared."""
    outcome = build(lab(tmp_path, ALONE), tmp_path / "build")
    assert (outcome.trained, outcome.imported) == (0, 2)
    text = (outcome.folder / "report.en.md").read_text("utf-8")
    assert "No data were read; all runs are imported from logs." in text
    assert "a† has the highest test accuracy" in text
    claims = "claims: [a.test_accuracy < b.test_accuracy, a.test_accuracy > 0.9]\n"
    unranked = build(lab(tmp_path, ALONE.replace(", same_data: true", "") + claims), tmp_path / "build")
    assert [(claim["verdict"], claim["reason"]) for claim in unranked.claims] == [
        ("inconclusive", "other_examples"),
        ("inconclusive", "one_seed"),
    ]
    text = (unranked.folder / "report.en.md").read_text("utf-8")
    assert text.count("No two runs are known to have been tested on the same examples") == 2
    assert "highest test accuracy of these" not in text


@pytest.mark.slow
def test_a_report_with_imports_is_verified_and_keeps_its_records(
    built: pipeline.Outcome, tmp_path: Path, reportgen: Command
) -> None:
    """It is written anew from its records; without its logs it is not, and that is told; no record is unused."""
    folder = shutil.copytree(built.folder.parents[1], tmp_path / "lab")
    whole = reportgen("verify", folder / "build" / "suite")
    assert whole.returncode == 0, whole.stdout
    assert "files are the same to the byte, written anew from the records" in whole.stdout
    clean = reportgen("clean", folder, "--build-dir", folder / "build", "--yes")
    assert "nothing to remove" in clean.stdout + clean.stderr
    (folder / "history.json").unlink()
    without = reportgen("verify", folder / "build" / "suite")
    assert without.returncode == 4
    assert "undecided  rewritten: not written anew: " in without.stdout
    assert "got no such file: " in without.stdout


def test_a_preview_shows_imported_runs(built: pipeline.Outcome, tmp_path: Path) -> None:
    """They are there as in the report, and nothing is said to be missing."""
    folder = built.folder.parents[1]
    renderer = Renderer(folder / "suite.yaml", pipeline.Options(built.folder.parent), tmp_path)
    state = renderer.state()
    assert state.error == ""
    assert "| LSTM† |" in state.documents["en"][0]
    assert not state.notes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{path: history.json}", "{path: histori.json}", "suite.yaml:14: runs[2].import.path: got no such file: "),
        ("{path: history.json}", "{path: [a, b, c]}", "suite.yaml:14: runs[2].import.path: got 3 logs for 2 "),
        ("{path: history.json}", "{pat: a}", "suite.yaml:14: runs[2].import.path: got nothing, expected a value"),
        ("{path: history.json}", "{path: history.json, format: xml}", "suite.yaml:14: runs[2].import.format: got "
            "'xml', expected 'text', 'csv', 'json' or 'tensorboard'"),
        ("{path: history.json}", "{path: history.json, columns: {los: a}}", "suite.yaml:14: "
            "runs[2].import.columns.los: got the unknown key 'los'"),
        ("{path: history.json}", "{path: history.json}, data: {limit: 9}", "suite.yaml:14: runs[2]: got settings "
            "that do not go together, expected no data settings with import"),
        ("seeds: [0, 1]", "sweeps: [{base: keras, grid: {training.epochs: [1]}}]\nseeds: [0, 1]",
            "suite.yaml:15: sweeps[0].base: got 'keras', expected the name of a run that is trained: rnn"),
        (SUITE[SUITE.index("data: {") : SUITE.index("model: {h")], "data: {source: sine}\n", "suite.yaml:10: "
            "runs[1].import: got a log of epochs with source sine, expected import in a suite that classifies"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_import_is_told_at_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """A log that is not there, more logs than seeds, a format or a column that there is not, a task of steps."""
    assert old in SUITE
    suite = lab(tmp_path, SUITE.replace(old, new))
    with pytest.raises(InputError) as caught:
        pipeline.load(suite)
    assert f"{tmp_path / message}" in str(caught.value), str(caught.value)


def test_a_log_that_cannot_be_read_ends_with_status_2(tmp_path: Path, reportgen: Command) -> None:
    """Every fault of every log is one message, before anything is trained."""
    lab(tmp_path)
    (tmp_path / "lstm-1.txt").write_text(LOG.replace("0.589669", "o.5"), "utf-8")
    (tmp_path / "history.json").write_text("{", "utf-8")
    for command in ("check", "plan", "build"):
        done = reportgen(command, "suite.yaml")
        assert (done.returncode, done.stdout) == (2, "")
        first, second = done.stderr.splitlines()
        assert first.startswith(f"{tmp_path / 'history.json'}:1: got ")
        assert second == f"{tmp_path / 'lstm-1.txt'}:1: loss: got 'o.5 Acc', expected a number"
    assert not (tmp_path / "build").exists()


STRANGE = """\
title: {zh: 导入, en: Imports}
data: {source: surnames}
runs:
  - {name: a, import: {path: history.json}}
  - {name: b, import: {path: log.txt}}
seeds: [0]
formats: [md]
"""


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of two logs alone: Keras's, and one in GBK with names that nobody knows."""
    folder = tmp_path_factory.mktemp("strange")
    (folder / "history.json").write_text(
        '{"loss": [0.6, 0.4], "val_loss": [0.5, 0.45], "val_accuracy": [0.75, 0.81]}'
    )
    log = (
        "第1轮 训练损失 0.5 训练准确率 80% lr|max* 0.1 *lr_* 0.2\n第2轮 训练损失 0.4 训练准确率 85%\n"
        "测试准确率 82%\n"
    )
    (folder / "log.txt").write_bytes(log.encode("gbk"))
    (folder / "suite.yaml").write_text(STRANGE, "utf-8")
    return build(folder / "suite.yaml", folder / "build").folder


def test_what_was_left_unread_and_how_a_log_was_read_is_said(strange: Path) -> None:
    """The note of the imported runs names it, in both languages; a late test result is the run's."""
    text, chinese = ((strange / f"report.{language}.md").read_text("utf-8") for language in ("en", "zh"))
    assert "log.txt was read as GB18030." in text
    assert "Left unread in log.txt: max\\* (line 1) and \\*lr\\_\\* (line 1)." in text
    assert "log.txt 按 GB18030 编码读取。" in chinese
    assert "log.txt 中未读取的内容：max" in chinese
    assert "82.00%" in text


def test_the_last_validation_figures_stand_where_no_test_was_logged(strange: Path) -> None:
    """Keras's history has no test figures, and its validation figures are in the report all the same."""
    text = (strange / "report.en.md").read_text("utf-8")
    assert "a/seed=0: the log has no test figures; the validation accuracy of its last epoch is 81.00%." in text
    assert "the validation loss of its last epoch is 0.4500." in text


def test_runs_from_elsewhere_are_not_said_to_be_made_with_pytorch(strange: Path, report: str) -> None:
    """A report of nothing but logs does not cite PyTorch; one with a run that was trained here does."""
    text = (strange / "report.en.md").read_text("utf-8")
    assert "This report was made by reportgen" in text
    assert "PyTorch" not in text
    assert "The runs were made with PyTorch" in report


def test_import_shows_what_a_log_would_give(tmp_path: Path, reportgen: Command) -> None:
    """Epochs, the names that they were read from, and what is left; nothing is written."""
    log = tmp_path / "log.txt"
    log.write_text(
        "epoch 1 | train loss 0.3 | val acc 85% lr 0.1\nepoch 2 | train loss 0.2 | val acc 87%\nTest Acc: 0.8\n"
    )
    done = reportgen("import", "--show", log)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{log}: text, UTF-8; 2 epochs",
        "epoch  train_loss  validation_accuracy",
        "    1         0.3                 0.85",
        "    2         0.2                 0.87",
        "test: accuracy 0.8",
        "read: train_loss = 'train loss', validation_accuracy = 'val acc', test_accuracy = 'Test Acc'",
        "left unread: lr (line 1)",
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["log.txt"]
    other = reportgen("import", "--show", log, "--column", "validation_accuracy=nobody")
    assert other.returncode == 2
    assert "'nobody' among them" in other.stderr
