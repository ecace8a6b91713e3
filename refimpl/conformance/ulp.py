"""Distance between floating-point numbers, counted in steps from one number of their type to the next (ulp)."""

from __future__ import annotations

import numpy as np


def ulp_distance(a, b) -> np.ndarray:
    """Steps from ``a`` to ``b``, uint64; both are float32 or both float64, and -0 and 0 are one number.

    NaN has no distance that means anything: decide on it before.

    >>> int(ulp_distance(1.0, np.nextafter(1.0, 2))), int(ulp_distance(-0.0, 0.0)), int(ulp_distance(-5e-324, 5e-324))
    (1, 0, 2)
    """
    a, b = _places(np.asarray(a)), _places(np.asarray(b))
    return np.maximum(a, b) - np.minimum(a, b)


def _places(values: np.ndarray) -> np.ndarray:
    """The place of each number in the order of all numbers of its type, uint64."""
    single = values.dtype == np.float32
    bits = np.ascontiguousarray(values, np.float32 if single else np.float64).view(np.uint32 if single else np.uint64)
    half = np.uint64(2**31 if single else 2**63)
    magnitude = bits.astype(np.uint64) & (half - np.uint64(1))
    return np.where(np.signbit(values), half - magnitude, half + magnitude).reshape(values.shape)
