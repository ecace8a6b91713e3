"""Well-known text as a tree: KEYWORD["name", 1.0, KEYWORD[...], ...].

Section "Raster data".  Brackets are square or round.  Text stands in quotes, and a quote inside it is doubled.  A word
without brackets (north, ellipsoidal) is text.  refimpl/formats/wkt.py tells what a tree means.
Source: OGC 01-009 (WKT 1), ISO 19162 (WKT 2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from refimpl.errors import InputError

MOST_TEXT, MOST_DEPTH = 2**18, 32
"""More characters and brackets within brackets than any reference system takes."""
_TOKEN = re.compile(
    r'\s*(?:"(?P<text>(?:[^"]|"")*)"|(?P<word>[A-Za-z_]\w*)|(?P<mark>[\[\](),])'
    r"|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))"
)
_CLOSES = {"[": "]", "(": ")"}


@dataclass(frozen=True)
class Node:
    """One KEYWORD[...]: the keyword in capitals, and its values: str, float or Node."""

    keyword: str
    values: tuple

    @property
    def name(self) -> str:
        """The first value if it is text, else empty."""
        return self.values[0] if self.values and isinstance(self.values[0], str) else ""

    @property
    def numbers(self) -> list[float]:
        """The numbers among the values."""
        return [value for value in self.values if isinstance(value, float)]

    def all(self, *keywords: str) -> list[Node]:
        """The nodes inside this one (not inside those) that have one of these keywords."""
        return [value for value in self.values if isinstance(value, Node) and value.keyword in keywords]

    def first(self, *keywords: str) -> Node | None:
        """The first node inside this one that has one of these keywords; None if there is none."""
        return next(iter(self.all(*keywords)), None)


def unreadable(where: str, what: str) -> InputError:
    """The sentence for text that is no WKT."""
    cure = "write it anew with 'gdalsrsinfo -o wkt1_esri EPSG:4326' (or the system that it is)"
    return InputError(f"{where}: cannot be read as the WKT of a reference system ({what}); {cure}")


def parse_wkt(text: str, where: str) -> Node:
    """The tree of ``text``; what follows the first node (ESRI puts a vertical system there) is ignored.

    Raises
    ------
    InputError
        The text is no WKT, or too long or too deep to be one.

    >>> tree = parse_wkt('UNIT["Degree", 0.0174532925199433, AUTHORITY["EPSG", "9122"]]', "a.prj")
    >>> tree.keyword, tree.name, tree.numbers, tree.first("AUTHORITY").values
    ('UNIT', 'Degree', [0.0174532925199433], ('EPSG', '9122'))
    """
    if len(text) > MOST_TEXT:
        raise unreadable(where, f"it has {len(text)} characters")
    tokens = _tokens(text, where)
    (kind, word), (mark, bracket) = next(tokens), next(tokens)
    if kind != "word" or mark != "mark" or bracket not in _CLOSES:
        raise unreadable(where, f"it begins with {text.strip()[:20]!r}")
    return _node(word.upper(), bracket, tokens, where, 1)


def _tokens(text: str, where: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each token, then ("end", "") for ever."""
    place, end = 0, len(text.rstrip("\0 \t\r\n"))
    while place < end:
        found = _TOKEN.match(text, place)
        if not found:
            raise unreadable(where, f"at character {place + 1}, {text[place : place + 12].strip()!r}")
        place = found.end()
        yield found.lastgroup, found[found.lastgroup]
    while True:
        yield "end", ""


def _node(keyword: str, bracket: str, tokens: Iterator[tuple[str, str]], where: str, depth: int) -> Node:
    """The node whose opening bracket has just been read."""
    if depth > MOST_DEPTH:
        raise unreadable(where, f"brackets {depth} deep")
    values: list = []
    kind, word = next(tokens)
    while True:
        if kind == "number":
            values.append(float(word))
        elif kind in ("text", "word"):
            values.append(word.replace('""', '"'))
        else:
            raise unreadable(where, f"{keyword} has {word or 'nothing'!r} where a value should stand")
        after = next(tokens)
        if kind == "word" and after[0] == "mark" and after[1] in _CLOSES:
            values[-1] = _node(word.upper(), after[1], tokens, where, depth + 1)
            after = next(tokens)
        if after == ("mark", _CLOSES[bracket]):
            return Node(keyword, tuple(values))
        if after != ("mark", ","):
            raise unreadable(where, f"{keyword} is not closed")
        kind, word = next(tokens)
