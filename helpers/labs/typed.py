"""Reading a line and its numbers as they come from keyboards, lecture notes and copied tables."""

import re
import unicodedata

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\"'`´‘’‚“”„«»‹›"),  # quotes go
        **{"、": ",", "،": ",", "。": ".", "٫": ".", "؛": ";", "：": ":"},
    }
)


def plain(text):
    """A text in plain characters: no full-width or invisible ones, no quotes, and one kind of dash and of space."""
    text = re.sub(r"(?<=\d)['’´`′·](?=\d)(?!\d{3}\b)", ".", text)  # a decimal point; 9'000 is 9000
    text = unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN)
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return " ".join(text.split())


def readings(said):
    """The numbers that a text can mean, the likeliest first; an empty list if it is not a number.

    0.3, .3, 3e-1, 0,3, 30 %, 3/10 and 3·10⁻¹ are all 0.3. 9,000 is 9000, or else 9.
    """
    if fraction := re.fullmatch(rf"({NUMBER})\s*[/⁄]\s*(\d+)", said):
        return [float(fraction[1]) / int(fraction[2])] if int(fraction[2]) else []
    said = re.sub(r"^(?:([\d.,]+)\s*[×x*·]\s*)?10\s*\^?\s*(-\d+)$", lambda power: f"{power[1] or 1}e{power[2]}", said)
    text = re.sub(r"(?<=\d)[ _](?=\d{3}\b)", "", said.removesuffix("%").strip())  # 9 000 is 9000
    texts = [text.replace(",", ".")]
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+", text):
        texts.insert(0, text.replace(",", ""))
    divisor = 100 if said.endswith("%") else 1
    return [float(text) / divisor for text in texts if re.fullmatch(NUMBER, text)]


def first_number(said):
    """The first number in a text, in a list; an empty list if there is none. 5x5 probably means 5."""
    return [float(number) for number in re.findall(NUMBER, said)[:1]]
