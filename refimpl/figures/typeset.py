"""Text of figures in Pillow's built-in font, which has few glyphs.

The font has no sub- or superscripts, no minus sign and no dashes.  ``typeset`` breaks a caption into runs on, below
and above the baseline.  It understands both Unicode ("CO₂", "km²") and plain spelling ("CO2", "km2", "R2", "10^4").
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata

from PIL import ImageFont

SMALL = 0.68
"""Size of sub- and superscripts, as a share of the text size."""
WORD_SPACE = 0.27
"""Width of a space, as a share of the text size: the font's own is too narrow for small captions."""
SHIFTS = {"sub": 0.16, "on": 0.0, "super": -0.36}
"""Distance of each kind of run below the baseline, as a share of the text size."""

_SUB = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SPELLED = {
    "−": "-", "–": "-", "—": "-", "×": "x", "≥": ">=", "≤": "<=", "µ": "u", "μ": "u", "→": "->", "≈": "~", "’": "'",
}
_TOKEN = re.compile(
    r"(?P<sub>[₀-₉]+|(?<=\bCO)2(?![0-9A-Za-z]))"
    r"|(?P<super>[⁰¹²³⁴-⁹⁻⁺]+|(?<=\bkm)2\b|(?<=[ /]m)2\b|(?<=\bR)2\b)"
    r"|\^(?P<power>[-−]?\d+)"
)


@functools.lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The built-in font at ``size`` pixels, with the basic layout engine: the same bytes wherever Pillow was built."""
    return ImageFont.load_default(size).font_variant(layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=4096)
def _drawable(character: str) -> str:
    """The character if the font has it, else its nearest spelling, else "?"."""
    if character in _SPELLED:
        return _SPELLED[character]
    if character.isascii():
        return character if character.isprintable() else " "
    missing = bytes(font(32).getmask("\uffff"))
    if bytes(font(32).getmask(character)) != missing:
        return character
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii())
    return plain or "?"


def typeset(text: str) -> list[tuple[str, str]]:
    """Break a caption into (run, kind); the kind is "on" (the baseline), "sub" (below it) or "super" (above it).

    >>> typeset("t CO2/km²")
    [('t CO', 'on'), ('2', 'sub'), ('/km', 'on'), ('2', 'super')]
    >>> typeset("10^-4 t")
    [('10', 'on'), ('-4', 'super'), (' t', 'on')]
    """
    runs, start = [], 0
    for match in _TOKEN.finditer(text):
        runs.append((text[start : match.start()], "on"))
        if match["sub"]:
            runs.append((match["sub"].translate(_SUB), "sub"))
        else:
            runs.append(((match["super"] or match["power"]).translate(_SUPER), "super"))
        start = match.end()
    runs.append((text[start:], "on"))
    return [("".join(map(_drawable, run)), kind) for run, kind in runs if run]


def run_size(size: int, kind: str) -> int:
    """The font size of a run of ``kind`` in a text of ``size``."""
    return size if kind == "on" else max(1, round(SMALL * size))


def placed_words(text: str, size: int) -> tuple[list[tuple[float, str, str]], float]:
    """The words of a caption as (x, word, kind), and the width of the whole in pixels."""
    words, x = [], 0.0
    for run, kind in typeset(text):
        for index, word in enumerate(run.split(" ")):
            x += WORD_SPACE * size if index else 0.0
            if word:
                words.append((x, word, kind))
                x += font(run_size(size, kind)).getlength(word)
    return words, x


def text_width(text: str, size: int) -> int:
    """Width of a caption in whole pixels."""
    return math.ceil(placed_words(text, size)[1])


def fitted(text: str, size: int, width: int) -> tuple[str, int]:
    """The caption and its size, made to fit ``width`` pixels: shrunk, to no less than two thirds, then cut with "…".

    >>> fitted("short", 20, 400)
    ('short', 20)
    """
    smallest = max(8, math.ceil(2 * size / 3))
    while text_width(text, size) > width and size > smallest:
        size -= 1
    if text_width(text, size) <= width:
        return text, size
    kept = len(text)
    while kept and text_width(text[:kept].rstrip() + "…", size) > width:
        kept -= 1
    return (text[:kept].rstrip() + "…" if kept else ""), size
