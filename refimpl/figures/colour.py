"""Colours of values in the maps of Figs. 1-3, for white paper: pale is low, dark is high.

Colour maps are (256, 3) uint8 sRGB tables computed in OKLab, where equal steps look equal.  Lightness falls
linearly, so that a map printed in grey keeps its order; chroma is cut where sRGB lacks the colour.
A ``Scale`` turns values of any unit into positions in [0, 1].  Emission is heavy tailed (most cells are near zero,
cities have a thousand times more), so the default is logarithmic between quantiles of the positive cells.
Source: Ottosson 2020, "A perceptual color space for image processing" (matrices); IEC 61966-2-1 (sRGB curve).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PAPER = (255, 255, 255)
NODATA = (208, 211, 215)
"""Light grey of cells inside the country that have no value; neither colour map contains it."""
LOG_QUANTILES = (0.1, 0.999)
"""Of the positive values: the ends of a logarithmic scale; the upper one is used for the other scales too."""
LOG_DECADES = 3.0
"""Most powers of ten of a logarithmic scale, about: more would spend the colours on traces."""
KINDS = ("log", "sqrt", "linear", "diverging")

_LMS_FROM_LAB = np.array([
    [1, 0.3963377774, 0.2158037573],
    [1, -0.1055613458, -0.0638541728],
    [1, -0.0894841775, -1.2914855480],
])
_RGB_FROM_LMS = np.array([
    [4.0767416621, -3.3077115913, 0.2309699292],
    [-1.2684380046, 2.6097574011, -0.3413193965],
    [-0.0041960863, -0.7034186147, 1.7076147010],
])


def linear_rgb(lightness, chroma, hue) -> np.ndarray:
    """OKLab in polar form (hue in degrees) to linear sRGB, (..., 3); outside [0, 1] where sRGB lacks the colour.

    >>> bool(np.allclose(linear_rgb(1.0, 0.0, 0.0), 1, atol=1e-3))
    True
    """
    lightness, chroma, hue = np.broadcast_arrays(*(np.asarray(part, float) for part in (lightness, chroma, hue)))
    angle = np.radians(hue)
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1)
    return (lab @ _LMS_FROM_LAB.T) ** 3 @ _RGB_FROM_LMS.T


def srgb_from_polar(lightness, chroma, hue) -> np.ndarray:
    """OKLab in polar form to sRGB bytes, (..., 3) uint8; chroma is cut at the gamut's edge, lightness and hue kept."""
    lightness = np.asarray(lightness, float)
    low, high = np.zeros_like(lightness), np.broadcast_to(np.asarray(chroma, float), lightness.shape).copy()
    wanted = high.copy()
    for _ in range(24):
        middle = (low + high) / 2
        rgb = linear_rgb(lightness, middle, hue)
        inside = np.all((rgb >= -1e-6) & (rgb <= 1 + 1e-6), axis=-1)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    rgb = np.clip(linear_rgb(lightness, np.minimum(low, wanted), hue), 0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded).astype(np.uint8)


def sequential() -> np.ndarray:
    """Cream, orange, red, violet, near black: (256, 3) uint8 for amounts; lightness falls evenly from 0.965 to 0.19."""
    t = np.linspace(0, 1, 256)
    anchors = np.linspace(0, 1, 6)
    chroma = np.interp(t, anchors, [0.030, 0.115, 0.165, 0.175, 0.140, 0.070])
    hue = np.interp(t, anchors, [98, 82, 48, 20, -15, -55])
    return srgb_from_polar(0.965 - 0.775 * t, chroma, hue)


def diverging() -> np.ndarray:
    """Blue, near white, red: (256, 3) uint8 for differences; lightness is symmetric about the middle."""
    t = np.linspace(-1, 1, 256)
    chroma = np.interp(np.abs(t), [0, 0.5, 1], [0.0, 0.105, 0.150])
    return srgb_from_polar(0.965 - 0.565 * np.abs(t), chroma, np.where(t < 0, 252.0, 30.0))


@dataclass(frozen=True)
class Scale:
    """Values to positions in [0, 1]: ``kind`` "log", "sqrt", "linear" or "diverging", between ``low`` and ``high``.

    >>> Scale("log", 1.0, 100.0).position([0.0, 1.0, 10.0, 1000.0]).tolist()
    [0.0, 0.0, 0.5, 1.0]
    """

    kind: str
    low: float
    high: float

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"unknown scale {self.kind!r}; expected one of {', '.join(KINDS)}")
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"scale limits ({self.low}, {self.high}): expected two finite numbers, the lower first")
        if self.kind == "log" and self.low <= 0:
            raise ValueError(f"scale limits ({self.low}, {self.high}): a logarithmic scale starts above 0")

    def position(self, values) -> np.ndarray:
        """Positions of values on the colour bar, float64 in [0, 1]; values beyond the limits get the ends."""
        values = np.clip(np.asarray(values, float), self.low, self.high)
        if self.kind == "log":
            return np.log(values / self.low) / np.log(self.high / self.low)
        share = (values - self.low) / (self.high - self.low)
        return np.sqrt(share) if self.kind == "sqrt" else share

    def colours(self) -> np.ndarray:
        """The colour map of this kind of scale, (256, 3) uint8."""
        return diverging() if self.kind == "diverging" else sequential()

    def paint(self, values, valid) -> np.ndarray:
        """Values (...) to sRGB (..., 3) uint8, nodata grey where not valid."""
        index = np.rint(255 * self.position(np.where(valid, values, self.low))).astype(np.uint8)
        return np.where(np.asarray(valid)[..., None], self.colours()[index], np.array(NODATA, np.uint8))


def choose_scale(values, kind: str = "log", limits: tuple[float, float] | None = None) -> Scale:
    """The scale of a map between ``limits`` if given, else between quantiles of the finite ``values``.

    "log": from the 10 % to the 99.9 % quantile of the positive values, three powers of ten at most; the lower end is
    then rounded down to 1, 2 or 5 times a power of ten.  "sqrt" and "linear": from the least value, or 0 if that is
    positive, to the 99.9 % quantile.  "diverging": symmetric about 0.  The ends always differ.

    >>> choose_scale([0.0, 0.3, 30.0], limits=(1.0, 10.0))
    Scale(kind='log', low=1.0, high=10.0)
    """
    if limits is not None:
        return Scale(kind, float(limits[0]), float(limits[1]))
    values = np.asarray(values, float).ravel()
    values = values[np.isfinite(values)]
    if kind == "log":
        positive = values[values > 0]
        low, high = np.quantile(positive, LOG_QUANTILES) if positive.size else (0.1, 1.0)
        low = _round_down(max(low, high * 10.0**-LOG_DECADES))
        return Scale(kind, low if high >= 2 * low else high / 10, float(high))
    if kind == "diverging":
        reach = float(np.quantile(np.abs(values), LOG_QUANTILES[1])) if values.size else 0.0
        return Scale(kind, -reach or -1.0, reach or 1.0)
    low = min(0.0, float(values.min())) if values.size else 0.0
    high = float(np.quantile(values, LOG_QUANTILES[1])) if values.size else 1.0
    return Scale(kind, low, high if high > low else low + 1.0)


def _round_down(value: float) -> float:
    power = 10.0 ** np.floor(np.log10(value))
    return float(f"{max(step for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)) * power:.6g}")
