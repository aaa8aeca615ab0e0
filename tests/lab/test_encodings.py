"""Encodings of text files: taken for certain, or asked for."""

import random
from pathlib import Path

import pytest

from reportgen.errors import DataError
from reportgen.lab.data.encodings import decode

JAPANESE = "これはとても面白い映画でした。私は昨日友達と一緒に見ました。監督の作品の中で一番好きです。"
KOREAN = "이 영화는 정말 재미있었습니다. 배우들의 연기가 훌륭하고 이야기도 좋았어요. 음악도 아주 좋았습니다."
RUSSIAN = "Очень хороший фильм, всем советую посмотреть. Игра актёров на высоте, сюжет интересный и не скучный."
OTHERS = {
    "euc_jp": JAPANESE,
    "shift_jis": JAPANESE,
    "euc_kr": KOREAN,
    "cp1251": RUSSIAN,
    "koi8-r": RUSSIAN,
    "cp1253": "Μια πολύ καλή ταινία που αξίζει να δείτε με τους φίλους σας, οι ηθοποιοί είναι εξαιρετικοί",
    "cp1255": "סרט מצוין, השחקנים היו נהדרים והסיפור מעניין מאוד",
    "cp1256": "فيلم جميل جدا والممثلون رائعون والقصة ممتعة",
    "tis-620": "หนังเรื่องนี้ดีมาก นักแสดงเล่นได้ดี เนื้อเรื่องสนุก",
    "latin-1": "Un film très charmant, élégant et drôle à la fois; l'été dernier, où nous étions, ça m'a plu",
}


@pytest.mark.parametrize("encoding", OTHERS)
def test_no_other_encoding_is_taken_for_chinese(encoding: str) -> None:
    """Words of nine languages in any order and number, in their own encodings: refused, with a hint."""
    words, dice = OTHERS[encoding].split(" " if " " in OTHERS[encoding] else "。"), random.Random(1)  # noqa: S311
    for _ in range(150):
        text = " ".join(dice.choices(words, k=dice.randint(3, 60)))
        with pytest.raises(DataError, match=r"which is not UTF-8, .*; as .*; if that is right, say"):
            decode(Path("a.txt"), text.encode(encoding))


CHINESE = {
    "gb18030": "这家店的菜很好吃，服务也不错，我们下次还会再来。",
    "big5": "這家店的菜很好吃，服務也不錯，我們下次還會再來。",
}


@pytest.mark.parametrize("encoding", CHINESE)
def test_chinese_is_read_in_its_own_encoding(encoding: str) -> None:
    """A sentence is enough, and names of Python's are as good as a certainty."""
    text = CHINESE[encoding]
    assert decode(Path("a.txt"), text.encode(encoding)).text == text
    assert decode(Path("a.txt"), text[:2].encode(encoding), encoding).text == text[:2]


def test_a_word_is_too_little_to_be_certain_of() -> None:
    """Two characters can be many things."""
    with pytest.raises(DataError, match="got the byte 0xba, which is not UTF-8"):
        decode(Path("a.txt"), "很好".encode("gbk"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_beginning_tells_the_encoding(encoding: str) -> None:
    """And is no part of the text, whatever the suite says."""
    assert decode(Path("a.txt"), "abc é".encode(encoding), "latin-1").text == "abc é"
