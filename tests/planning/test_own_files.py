"""The files of the author's own that took part are listed in the report and its manifest, with their digests."""

import hashlib
import json
from pathlib import Path

import pytest
from conftest import build
from student_models import CLASSIFY, MODELS, lab

from reportgen import pipeline
from reportgen.planning.plan import Plan
from reportgen.storage import manifest, traces
from reportgen.storage.records import Store

READING = """\
import json
from pathlib import Path

KNOWN = {}


def scale():
    if not KNOWN:
        KNOWN.update(json.loads((Path(__file__).parent / "answers.json").read_text()))
    return KNOWN["scale"]
"""


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def reading_lab(folder: Path) -> Path:
    """Write a suite whose whole model asks a helper beside it, which reads a table that nothing names."""
    models = "from helper import scale\n" + MODELS.replace("self.output(last)", "scale() * self.output(last)")
    (folder / "helper.py").write_text(READING, "utf-8")
    (folder / "answers.json").write_text('{"scale": 0.5}', "utf-8")
    return lab(folder, CLASSIFY.replace("seeds: [0]", "seeds: [0, 1]"), models)


def steps(suite: Path, store: Store) -> Plan:
    """Return the plan of a suite."""
    return pipeline.plan(pipeline.load(suite), store)


def test_what_a_models_code_reads_is_in_the_record_and_the_report(tmp_path: Path) -> None:
    """A helper, and a table that it reads once a process, are in every record of the model, and in no key."""
    suite = reading_lab(tmp_path)
    store = Store(tmp_path / "build" / "records")
    before = {step.run.name: step.key for step in steps(suite, store).steps}
    outcome = build(suite, tmp_path / "build", jobs=1)
    wanted = {"helper.py": digest(tmp_path / "helper.py"), "answers.json": digest(tmp_path / "answers.json")}
    for run, key in before.items():
        left = traces.of_record(store, key)
        assert left is not None
        assert len(left.arithmetic) == 16
        if run.startswith("whole"):
            assert {name: left.reads.get(name) for name in wanted} == wanted
        assert not (run.startswith("lstm") and left.reads)
    own = json.loads((outcome.folder / "manifest.json").read_text("utf-8"))["own"]
    names = ["suite.yaml", "answers.json", "helper.py", "my_losses.py", "my_models.py"]
    assert list(own) == names
    assert own == {name: digest(tmp_path / name) for name in names}
    report = (outcome.folder / "report.en.md").read_text("utf-8")
    assert f"| `answers.json` | read by the code in training | `{own['answers.json'][:16]}` |" in report
    assert f"| `helper.py` | code | `{own['helper.py'][:16]}` |" in report
    assert {step.key for step in steps(suite, store).steps} == set(before.values())


@pytest.mark.slow
def test_templates_sentences_and_words_of_the_suites_own_are_listed(tmp_path: Path) -> None:
    """A sentence, a template, a section, its picture and a metric; a suite with nothing beside it has no table."""
    text = CLASSIFY.split("  - {name: whole")[0] + "seeds: [0]\ndevice: cpu\nlanguages: [en]\nformats: [md]\n"
    (tmp_path / "plain").mkdir()
    plain = build(lab(tmp_path / "plain", text), tmp_path / "plain" / "build")
    assert "Files of the author" not in (plain.folder / "report.en.md").read_text("utf-8")
    folder = tmp_path / "own"
    (folder / "templates" / "sections").mkdir(parents=True)
    (folder / "templates" / "text.en.yaml").write_text("results:\n  intro: What came of it.\n", "utf-8")
    (folder / "templates" / "sections" / "aim.md.j2").write_text('{% extends "shipped/sections/aim.md.j2" %}\n')
    (folder / "words.md").write_text("# Mine\n\n![a square](square.svg)\n", "utf-8")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    (folder / "square.svg").write_text(svg, "utf-8")
    (folder / "metric.py").write_text(
        "def right(predicted, target, classes):\n    return (predicted == target).mean()\n"
    )
    suite = lab(folder, text + "sections: [aim, words.md, environment]\nmetrics: [metric.py:right]\n")
    made = manifest.parsed((build(suite, folder / "build").folder / "manifest.json").read_bytes(), "")
    assert list(made.own) == [
        "suite.yaml", "metric.py", "square.svg",
        "templates/sections/aim.md.j2", "templates/text.en.yaml", "words.md",
    ]  # fmt: skip
    assert made.own["words.md"] == digest(folder / "words.md")


def test_a_folders_files_are_read_by_the_code_below_it_alone(tmp_path: Path) -> None:
    """What other code opens is not the author's; writing is not reading; a file far away has no path."""
    inside, outside = tmp_path / "a" / "b" / "c" / "lab", tmp_path / "far.txt"
    inside.mkdir(parents=True)
    outside.write_text("far")
    (inside / "near.txt").write_text("near")
    own = inside / "code.py"
    own.write_text(
        "def read(*names):\n    return [open(name).read() for name in names]\n\n\n"
        "def write(name):\n    open(name, 'w').close()\n"
    )
    code: dict[str, object] = {}
    exec(compile(own.read_text(), str(own), "exec"), code)  # noqa: S102 - its file is what counts
    with traces.reads_of(inside) as reads:
        (inside / "near.txt").read_text()
        assert reads == {}
        code["read"](inside / "near.txt", outside)  # type: ignore[operator]  # it is the function above
        code["write"](inside / "new.txt")  # type: ignore[operator]
    assert reads == {"near.txt": digest(inside / "near.txt"), "elsewhere/far.txt": digest(outside)}


def test_the_arithmetic_of_a_machine_is_the_same_each_time() -> None:
    """Two processes' worth of it give the same digest, and it leaves the random numbers alone."""
    import torch

    from reportgen.lab.environment import arithmetic

    torch.set_num_threads(1)
    torch.manual_seed(5)
    one = arithmetic("cpu")
    drawn = torch.rand(1)
    arithmetic.cache_clear()
    assert arithmetic("cpu") == one
    torch.manual_seed(5)
    assert torch.rand(1) == drawn
