"""Real data of other people, where it lies beside the project: read to the last row, or refused with its line."""

import csv
from pathlib import Path

import numpy as np
import pytest

from reportgen.errors import DataError
from reportgen.lab.data.corpora import read_labelled, read_polarity
from reportgen.lab.data.encodings import Decoded, content_of, decode
from reportgen.lab.data.tables import Form, read_table
from reportgen.tasks.classification.data import Encoding
from reportgen.tasks.classification.settings import TableSettings
from reportgen.tasks.forecasting import data as forecasting_data
from reportgen.tasks.forecasting.settings import SeriesSettings

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the real data, which is not the project's")


def column(name: str, of: str) -> tuple[np.ndarray, forecasting_data.TableFacts]:
    """Read a column of a series."""
    return forecasting_data.read_column(
        SeriesSettings(source="series", file=str(DATA / "series" / name), column=of)
    )


@needs_data
@pytest.mark.parametrize(("name", "rows"), [("ChnSentiCorp_htl_all.csv", 7766), ("waimai_10k.csv", 11987)])
def test_chinese_reviews_are_read_to_the_last_row(name: str, rows: int) -> None:
    """As csv reads them; without a word of the suite they are split into characters."""
    file = DATA / "chinese" / name
    corpus = read_labelled(file, "csv", "review", "label")
    with file.open(encoding="utf-8-sig", newline="") as stream:
        assert corpus.texts == [row["review"].strip() for row in csv.DictReader(stream)]
    assert (len(corpus.texts), corpus.classes, corpus.reading[0].encoding) == (rows, ("0", "1"), "UTF-8")
    settings = TableSettings(source="csv", file=str(file))
    assert Encoding.of(settings, corpus.texts).tokens == "characters"


@needs_data
@pytest.mark.parametrize("name", ["ChnSentiCorp_htl_all.csv", "waimai_10k.csv"])
def test_chinese_reviews_in_gbk_are_known_for_certain(name: str, tmp_path: Path) -> None:
    """Saved again in GB18030, the whole file and any twenty lines of it are read as that, to the character."""
    text = decode(DATA / "chinese" / name, content_of(DATA / "chinese" / name)).text
    lines = text.splitlines()
    pieces = [text, *("\n".join(lines[i : i + 20]) for i in range(1, 2000, 97))]
    for piece in pieces:
        assert decode(tmp_path / "a.csv", piece.encode("gb18030")) == Decoded(piece, "GB18030")


@needs_data
def test_the_polarity_corpus_of_today_is_in_utf_8() -> None:
    """Its 2 × 5,331 sentences have their accents, and the Latin-1 of the original gives the same texts."""
    corpus = read_polarity(DATA / "polarity" / "rt-polarity.neg", DATA / "polarity" / "rt-polarity.pos")
    assert len(corpus.texts) == 10662
    assert {reading.encoding for reading in corpus.reading} == {"UTF-8"}
    assert any("cliché" in text for text in corpus.texts)
    assert not any("Ã" in text or "ã©" in text for text in corpus.texts)


@needs_data
def test_a_column_with_na_is_refused_with_its_first_row() -> None:
    """Beijing's PM2.5 begins with a day without a measurement; its column of words is no series; its rain is."""
    with pytest.raises(
        DataError, match=r"pollution.csv:2: pm2.5: got 'NA', .* 2,067 rows of the column have none"
    ):
        column("pollution.csv", "pm2.5")
    with pytest.raises(DataError, match=r"pollution.csv:2: cbwd: got 'NW', expected a finite number"):
        column("pollution.csv", "cbwd")
    assert len(column("pollution.csv", "TEMP")[0]) == 43824


@needs_data
@pytest.mark.parametrize("name", ["airline-passengers.csv", "daily-min-temperatures.csv", "monthly-sunspots.csv"])
def test_series_with_dates_run_forwards(name: str) -> None:
    """The dates beside the numbers are found, and none is before the one above it."""
    names = read_table(DATA / "series" / name).names
    points, facts = column(name, names[1])
    assert (facts.dates, facts.backwards) == (names[0], 0)
    with (DATA / "series" / name).open(encoding="utf-8", newline="") as stream:
        assert points.tolist() == [float(row[1]) for row in list(csv.reader(stream))[1:]]


@needs_data
def test_sentence_pairs_between_tabs_are_read_whole() -> None:
    """A quotation mark is a character there: 22,075 pairs, or one more if the first is taken for names."""
    file = DATA / "translation" / "eng-cmn.tsv"
    lines = file.read_text("utf-8").splitlines()
    table = read_table(file, Form(columns=("english", "chinese"), usual="\t"))
    assert [row.cells for row in table.rows] == [line.split("\t") for line in lines]
    assert (table.quoted, table.separator) == (False, "\t")
