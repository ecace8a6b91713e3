"""The coarse map at twice its resolution, by the trained network (Fig. 8, section "ZSSR"; D16-D18).

The network is applied to the interpolated image in its eight rotations and mirrors.  Each output is corrected by
back-projection, their median is taken cell by cell, and corrected once more (D17; Shocher, Cohen & Irani 2018,
section 3).  Coarse arrays are (rows, cols), fine ones (2 rows, 2 cols); a fine cell is valid where its coarse cell is.
"""

from __future__ import annotations

import numpy as np

from refimpl.method.back_projection import back_project, children
from refimpl.method.image_range import ImageRange, compress, expand
from refimpl.method.network import Network, forward
from refimpl.method.resize import upsample_valid
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training_pairs import rotate_mirror, undo_rotate_mirror
from refimpl.twins import twin


def apply_network(network: Network, image: np.ndarray, valid: np.ndarray, settings: UpscaleSettings) -> np.ndarray:
    """The linear fine image (2 rows, 2 cols) float64 of a linear coarse image (D17); 0 at invalid cells.

    The network computes in the dtype of its parameters.

    >>> identity = Network(np.zeros(144), depth=2, channels=8)  # finds no residual: interpolation, corrected
    >>> image = np.array([[1.0, 2.0], [3.0, 6.0]])
    >>> fine = apply_network(identity, image, np.ones((2, 2), bool), UpscaleSettings())
    >>> fine.reshape(2, 2, 2, 2).mean(axis=(1, 3)).round(2)  # its means are the coarse image
    array([[1., 2.],
           [3., 6.]])
    """
    curved = compress(image, settings.transform).astype(network.parameters.dtype, copy=False)
    interpolated, inside = upsample_valid(curved, valid), children(valid)
    outputs = []
    for turn in range(8 if settings.self_ensemble else 1):
        output = undo_rotate_mirror(forward(network, rotate_mirror(interpolated, turn)), turn)
        fine = expand(np.where(inside, output, 0).astype(np.float64), settings.transform)
        if settings.self_ensemble:
            fine = back_project(fine, image, valid, settings.back_projection, settings.downsampling)
        outputs.append(fine)
    fine = median(np.array(outputs)) if settings.self_ensemble else outputs[0]
    return back_project(fine, image, valid, settings.back_projection, settings.downsampling)


@twin("kernels.ensemble")
def median(images: np.ndarray) -> np.ndarray:
    """Median of images (n, rows, cols), cell by cell; for even n the mean of the middle two.  They hold no NaN.

    >>> median(np.array([[[1.0]], [[9.0]], [[2.0]], [[4.0]]]))
    array([[3.]])
    """
    return np.median(images, axis=0)


def weights_of(fine: np.ndarray, image_range: ImageRange, settings: UpscaleSettings) -> np.ndarray:
    """CW: a linear fine image in the units of the coarse map, without its baseline unless it is kept, and at least 0.

    D18: a fine cell may exceed its coarse mean, so nothing is clipped above.

    >>> weights_of(np.array([-0.5, 0.0, 1.5]), ImageRange(2.0, 4.0), UpscaleSettings())
    array([0., 0., 6.])
    """
    return np.maximum(image_range.to_map(fine, settings.baseline), 0)
