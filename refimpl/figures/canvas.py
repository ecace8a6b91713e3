"""White sheet on which the figures are drawn: captions, smooth lines, filled boxes, pictures.

Coordinates are pixels, (x, y), from the upper left corner.  Lines and discs are drawn four times larger into a mask and
then reduced, so that slanted edges are smooth.  Boxes and pictures stay sharp.  The same calls give the same bytes.
"""

from __future__ import annotations

import os

import numpy as np
from PIL import Image, ImageDraw

from refimpl.figures.colour import PAPER
from refimpl.figures.typeset import SHIFTS, fitted, font, placed_words, run_size, text_width
from refimpl.formats.files import atomic_path

INK = (38, 40, 46)
MUTED = (104, 108, 116)
FAINT = (222, 224, 228)
MARGIN = 36
TITLE, SUBTITLE, LABEL, SMALL_LABEL = 30, 19, 17, 15
_SMOOTH = 4
_CAP = 0.71
"""Height of a capital letter of the built-in font, as a share of its size."""


class Canvas:
    """A sheet of ``width`` x ``height`` pixels; ``text_boxes``: (left, top, right, bottom) of every caption."""

    def __init__(self, width: int, height: int):
        self.width, self.height = int(width), int(height)
        self.image = Image.new("RGB", (self.width, self.height), PAPER)
        self.text_boxes: list[tuple[float, float, float, float]] = []

    def text(self, x, y, text: str, size: int = LABEL, colour=INK, anchor: str = "ls", upright: bool = False):
        """Write one line; ``anchor`` is l, m or r across and t (cap top), m (middle) or s (baseline) down.

        ``upright`` turns it a quarter to the left, read from bottom to top, centred on (x, y).
        """
        mask, ascent = _text_mask(text, size)
        width, height = mask.size
        if upright:
            mask = mask.transpose(Image.Transpose.ROTATE_90)
            left, top = round(x - ascent + _CAP * size / 2), round(y - width / 2)
        else:
            left = round(x - {"l": 0, "m": width / 2, "r": width}[anchor[0]])
            top = round(y + {"t": _CAP * size, "m": _CAP * size / 2, "s": 0}[anchor[1]]) - ascent
        self.image.paste(Image.new("RGB", mask.size, colour), (left, top), mask)
        self.text_boxes.append((left, top, left + mask.size[0], top + mask.size[1]))

    def line(self, points, width: float = 1.0, colour=INK):
        """Draw a smooth polyline through ``points`` (n, 2); points that are not finite break it."""
        points = np.asarray(points, float).reshape(-1, 2)
        whole = np.isfinite(points).all(axis=1)
        pieces = [piece for piece in np.split(np.arange(len(points)), np.flatnonzero(~whole)) if whole[piece].sum() > 1]
        paths = [points[piece[whole[piece]]] for piece in pieces]
        thick = max(1, round(_SMOOTH * width))
        self._smooth(paths, width, colour, lambda draw, path: draw.line(path, 255, thick, "curve"))

    def discs(self, points, radius: float = 4.0, colour=INK):
        """Draw smooth filled circles at ``points`` (n, 2)."""
        points = np.asarray(points, float).reshape(-1, 2)
        corner = np.array([radius, radius])
        boxes = [np.stack([point - corner, point + corner]) for point in points[np.isfinite(points).all(axis=1)]]
        self._smooth(boxes, 0, colour, lambda draw, path: draw.ellipse(path, 255))

    def _smooth(self, paths, reach: float, colour, draw_path):
        """Draw paths into an enlarged mask of their bounding box, reduce it, and paint the colour through it."""
        if not paths:
            return
        everything = np.concatenate(paths)
        left, top = np.floor(everything.min(axis=0) - reach - 1).astype(int)
        right, bottom = np.ceil(everything.max(axis=0) + reach + 2).astype(int)
        mask = Image.new("L", (_SMOOTH * int(right - left), _SMOOTH * int(bottom - top)))
        draw = ImageDraw.Draw(mask)
        for path in paths:
            draw_path(draw, [tuple(point) for point in (_SMOOTH * (path - [left, top])).tolist()])
        mask = mask.reduce(_SMOOTH)
        self.image.paste(Image.new("RGB", mask.size, colour), (int(left), int(top)), mask)

    def box(self, left, top, right, bottom, fill=None, outline=None):
        """Draw a sharp rectangle, right and bottom exclusive; nothing where it has no area."""
        left, top, right, bottom = (round(edge) for edge in (left, top, right, bottom))
        if right > left and bottom > top:
            ImageDraw.Draw(self.image).rectangle((left, top, right - 1, bottom - 1), fill, outline)

    def picture(self, left: int, top: int, pixels: np.ndarray):
        """Paste (rows, cols, 3) uint8 with its upper left corner at (left, top)."""
        self.image.paste(Image.fromarray(np.ascontiguousarray(pixels)), (int(left), int(top)))

    def heading(self, title: str, subtitle: str = "", footer: str = ""):
        """Write title and subtitle above, footer (attribution) below, each fitted to the width between the margins."""
        room = self.width - 2 * MARGIN
        for text, size, y, colour in (
            (title, TITLE, MARGIN + 22, INK),
            (subtitle, SUBTITLE, MARGIN + 54, MUTED),
            (footer, SMALL_LABEL, self.height - 20, MUTED),
        ):
            if text:
                text, size = fitted(text, size, room)
                self.text(MARGIN, y, text, size, colour)

    def save(self, path: str | os.PathLike) -> Image.Image:
        """Write a PNG, atomically, and return the picture."""
        with atomic_path(path) as temporary:
            self.image.save(temporary, format="PNG", optimize=False, compress_level=6)
        return self.image


def heading_height(subtitle: str) -> int:
    """Pixels from the top edge to where the drawing below title and subtitle can start."""
    return MARGIN + (78 if subtitle else 46)


def footer_height(footer: str) -> int:
    """Pixels that the footer takes at the bottom edge."""
    return 52 if footer else 26


def _text_mask(text: str, size: int) -> tuple[Image.Image, int]:
    """Coverage of one line of text, mode L, and the pixels from its top to the baseline."""
    ascent, descent = round(1.05 * size), round(0.4 * size)
    mask = Image.new("L", (max(1, text_width(text, size) + 1), ascent + descent))
    draw = ImageDraw.Draw(mask)
    for x, word, kind in placed_words(text, size)[0]:
        draw.text((x, ascent + SHIFTS[kind] * size), word, 255, font(run_size(size, kind)), anchor="ls")
    return mask, ascent
