"""Text files in any encoding that can be known for certain; for any other, one message that asks for it.

UTF-8, and what begins with a byte order mark, is certain. GB18030 (with GBK and GB2312) and Big5 are taken where
the bytes are valid, nearly all of the characters are in daily use, some are among the most frequent of Chinese,
and no other reading is as good. Western encodings cannot be told apart by their bytes.
"""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from reportgen.errors import DataError, refuse, shortened

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins as the mark of UTF-16 does
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NAMES = {"utf-8-sig": "UTF-8", "latin-1": "Latin-1", "iso8859-1": "Latin-1", "big5": "Big5", "cp950": "Big5"}

_FREQUENT = {
    "gb18030": frozenset(
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学"
        "如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实很差太非常评论店菜吃送餐训练验证测试损失准确率轮第均"
    ),
    "big5": frozenset(
        "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學"
        "如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實很差太非常評論店菜吃送餐訓練驗證測試損失準確率輪第均"
    ),
}
"""The most frequent characters of written Chinese, of reviews, and of logs: simplified, and traditional."""
_FIRST_LEVEL = {"gb18030": ("gb2312", 0xB0, 0xD7), "big5": ("big5", 0xA4, 0xC6)}
"""Of each character set the part with the characters in daily use: the codec, and the lead bytes."""

_FEWEST, _DIFFERENT = 12, 5
"""Bytes that are not ASCII, and different characters of the most frequent; fewer of them are no evidence."""
_USUAL, _OFTEN, _KANA = 0.9, 0.08, 0.02
"""The shares of characters in daily use, and of the most frequent, from which on a reading is taken for good, and
the share of kana up to which it is no Japanese.
The tests encode texts of nine languages in their own encodings, and none of the others gets there."""


@dataclass(frozen=True)
class Decoded:
    """The text of a file, and the encoding that it was read in, as a reader would call it."""

    text: str
    encoding: str


def content_of(file: Path, expected: str = "a text file") -> bytes:
    """Return the bytes of a file; DataError if it cannot be read, or has no end."""
    if file.exists() and not file.is_file():  # a pipe or a device has no end
        raise refuse(file, 1, "no plain file", expected)
    try:
        return file.read_bytes()
    except OSError as error:
        raise refuse(file, 1, f"an unreadable file ({error.strerror})", expected) from None


def decode(file: Path, content: bytes, encoding: str | None = None, setting: str = "data.encoding") -> Decoded:
    """Return the text; DataError with the line and a hint where the encoding is in doubt, or is another.

    Args:
        file: for messages.
        content: its bytes.
        encoding: one of Python's names, if it is known.
        setting: what to say in the suite, for the message.
    """
    named = next((name for mark, name in _MARKS.items() if content.startswith(mark)), encoding or "utf-8")
    try:
        text = content.decode(named)
    except UnicodeDecodeError as error:
        if encoding is None and named == "utf-8" and (certain := _certain(content)):
            return Decoded(content.decode(certain), cache_name(certain))
        raise _doubt(file, content, error, named, setting) from None
    if "\0" in text:  # UTF-16 without its mark is valid UTF-8, as long as it is ASCII
        line = text[: text.index("\0")].count("\n") + 1
        raise refuse(file, line, "a null character", "text", hint=f"UTF-16 without a mark? {setting}: utf-16-le")
    return Decoded(text, cache_name(named))


def cache_name(encoding: str) -> str:
    """Return what an encoding is called in a report."""
    return _NAMES.get(codecs.lookup(encoding).name, _NAMES.get(encoding, encoding.upper()))


def _certain(content: bytes) -> str:
    """Return the one encoding of Chinese that the bytes are in beyond doubt; empty if there is none."""
    if sum(byte > 0x7F for byte in content) < _FEWEST:
        return ""
    good = {name: share for name in _FREQUENT if (share := _share(content, name)) > _OFTEN}
    best = max(good, key=good.__getitem__, default="")
    return best if all(share < good[best] / 2 for name, share in good.items() if name != best) else ""


def _share(content: bytes, encoding: str) -> float:
    """Return the share of the most frequent characters among the Chinese ones; 0 where the reading is no good."""
    try:
        foreign = [c for c in content.decode(encoding) if not c.isascii()]
    except UnicodeDecodeError:
        return 0.0
    codec, low, high = _FIRST_LEVEL[encoding]
    leads = [c.encode(codec, "replace")[0] for c in foreign]
    chinese = sum(low <= lead <= high for lead in leads)
    marks = sum(0xA1 <= lead <= 0xA3 for lead in leads)
    japanese = sum("\u3041" <= c <= "\u30ff" for c in foreign)  # EUC-JP has its kana where GB 2312 has them
    if not chinese or (chinese + marks) / len(foreign) < _USUAL or japanese > _KANA * len(foreign):
        return 0.0
    frequent = [c for c in foreign if c in _FREQUENT[encoding]]
    return len(frequent) / chinese if len(set(frequent)) >= _DIFFERENT else 0.0


def _doubt(file: Path, content: bytes, error: UnicodeDecodeError, named: str, setting: str) -> DataError:
    line = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
    likely = _likely(content[:200_000])
    shown = re.split(rb"[\r\n]+", content[content.rfind(b"\n", 0, error.start) + 1 :], maxsplit=1)[0][:160]
    text = shown.decode(likely, "replace")
    got = f"the byte 0x{content[error.start]:02x}, which is not {cache_name(named)}"
    hint = f"as {likely} this line is {shortened(text)}; if that is right, say {setting}: {likely}"
    expected = "a file in UTF-8" if named == "utf-8" else f"text in {cache_name(named)}"
    return refuse(file, line, got, expected, hint=f"{hint}, or save the file as UTF-8")


def _likely(content: bytes) -> str:
    """Return what the bytes look like, for a message: a single byte between letters of ASCII is an accent."""
    from charset_normalizer import from_bytes  # a tenth of a second, and for a message alone

    foreign = re.findall(rb"[\x80-\xff]+", content)
    if sum(len(run) == 1 for run in foreign) > 0.8 * len(foreign):
        return "latin-1"
    best = from_bytes(content, cp_isolation=[*_MET]).best()
    return best.encoding if best is not None else "gb18030"


_MET = (
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
    "cp949",
    "cp1251",
    "koi8_r",
    "cp1252",
    "cp1253",
    "cp1255",
    "cp1256",
)
"""The encodings that are looked at for a message; a short text looks like rarer ones all too easily."""
