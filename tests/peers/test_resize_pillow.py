"""Bicubic resizing against Pillow's, which has the same kernel (a = -0.5) and stretches it likewise when it shrinks.

At the edge Pillow cuts the kernel and normalises it anew where we mirror the image, so the interior is compared.
"""

import numpy as np
import pytest
from PIL import Image

from refimpl.method.resize import bicubic_taps, resize_bicubic


@pytest.mark.parametrize("shape", [(30, 24), (120, 96), (54, 43), (48, 38), (36, 29), (77, 131)])
def test_bicubic_agrees_with_pillow_in_the_interior(shape):
    image = np.random.default_rng(7).random((60, 48)).astype(np.float32)
    theirs = np.asarray(Image.fromarray(image, mode=None).resize(shape[::-1], Image.Resampling.BICUBIC))
    ours = resize_bicubic(image.astype(np.float64), shape)
    interior = np.ix_(*(_inside(n_in, n_out) for n_in, n_out in zip(image.shape, shape)))
    assert ours[interior].size > 0.5 * ours.size
    # Pillow keeps float32 between its two passes: 6e-8 of values up to 1, a few times over.
    assert np.abs(ours - theirs)[interior].max() < 5e-7


def _inside(n_in: int, n_out: int) -> np.ndarray:
    """Output cells whose taps are not mirrored: their indices rise by one."""
    indices, weights = bicubic_taps(n_in, n_out)
    return np.flatnonzero(np.all((np.diff(indices) == 1) | (weights[:, 1:] == 0) | (weights[:, :-1] == 0), axis=1))
