"""Numbers as reports print them, and the values that they may stand for."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

_TOKEN = re.compile(
    r"(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+−]?\d+)?(?:\s?%)?(?![\w%]|\.\d)"
)


@dataclass(frozen=True)
class Printed:
    """A number as it is printed: its digits say how far it was rounded."""

    text: str
    value: Decimal
    """Without its sign, which a sentence may turn round: 5.83 points ahead."""
    percent: bool

    @property
    def of_one(self) -> Decimal:
        """Return the value as a fraction of one, if it is a percentage."""
        return self.value / 100 if self.percent else self.value

    def stands_for(self, value: float, *, in_percent: bool = False) -> bool:
        """Tell whether `value`, rounded as this is, comes to it: as it is, in percent, or in percentage points.

        A whole number without a percent sign is one in percent only where `in_percent` says so, as in a figure; it
        may have been rounded to three significant digits.
        """
        exponent = self.value.as_tuple().exponent
        half = Decimal(5).scaleb(int(exponent) - 1)
        whole = int(exponent) >= 0 and not self.percent
        plain = Decimal(repr(abs(float(value))))
        if whole and not in_percent:
            near = Decimal("0.5") if self.value >= 100 else Decimal("0.05")
            return plain == self.value or (plain % 1 != 0 and abs(plain - self.value) <= near)
        scaled = [100 * plain] if self.percent else [plain, 100 * plain]
        return any(abs(each - self.value) <= half * (1 + Decimal("1e-9")) for each in scaled)


def parse(text: str) -> Printed | None:
    """Return the number that the text is: 0.8286, 82.86%, 1,911, １,911, 1.2e-05; None if it is none."""
    plain = re.sub(r"(?<=\d)[ _\u202f](?=\d{3}\b)", ",", unicodedata.normalize("NFKC", text).strip())
    match = _TOKEN.fullmatch(plain)
    return _printed(match[0]) if match else None


def numbers_in(text: str) -> list[Printed]:
    """Return the numbers that stand in a text, in order; those inside of words are none."""
    return [_printed(match[0]) for match in _TOKEN.finditer(text)]


def _printed(text: str) -> Printed:
    digits = text.replace("−", "-").replace(",", "").rstrip("% ")
    return Printed(text, abs(Decimal(digits)), text.endswith("%"))
