"""One sweep through the network in float32, forward, or forward and back: what ``kernels.network`` runs.

The image is cut into bands of whole rows of tiles.  A task is the work of one layer on one band, and may begin as soon
as the bands that it reads are done (``dependent_tasks``).  So there is no moment at which all threads wait for the last
one, and a step hands work over to the threads only once.  The backward task of a layer computes the gradient of its
input and the band's share of the gradient of its weights, while what both read is in a near cache.  Shares are added in
the order of bands, and bands follow from the image's shape, so any number of threads gives the same bytes.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.dependent_tasks import all_marked, mark, take
from kernels.tools.simd import behind, pointer
from kernels.tools.single_channel import correlate_row, narrow_four, widen_row
from kernels.tools.sweep_plan import (
    ALL,
    BOTTOM,
    FINISH,
    FIRST,
    FROM,
    KIND,
    LAYER,
    LEFT,
    NARROW,
    NARROW_BACK,
    NEAR,
    RIGHT,
    TASKS,
    TO,
    TOP,
    WEIGHTS,
    WIDE,
    WIDE_BACK,
    WIDEN,
    WIDEN_BACK,
)
from kernels.tools.winograd import convolve_tiles, sum_tiles
from kernels.tools.winograd_weights import finish_weight_gradient, transform_weights, whole


@kernel
def sweep(
    task, worker, turns, done, stages, bands, starts, parameters, biases, image, target, mask, scale, output, dy,
    planes, weights, turned, sums, thin_sums, bias_sums, losses, gradients, work, edge,
):  # fmt: skip
    """Do tasks until none is left (return -1), or until the next would have to wait for long (return its number).

    ``starts`` (depth,): where a layer's weights begin in ``parameters`` and ``gradients``; ``biases`` (depth + 1, C),
    the last row 0; ``image``, ``dy`` planes of one channel; ``target``, ``mask``, ``output`` (H, W); ``scale`` the
    gradient of a cell above its target; ``planes`` as in ``plan``; ``weights`` (2 wide, ...) transformed; ``turned``
    (depth, 9 C C); ``sums`` (2, bands, ...); ``thin_sums`` (2, bands, 3, 3, C); ``bias_sums`` (depth, bands, C);
    ``losses`` (bands,); ``work`` (workers, ...).
    """
    height, width = output.shape
    channels, out, wide = planes.shape[3], len(edge), starts.size - 2
    down, biased = whole(height, out), bias_sums.shape[2] > 1
    line = image.shape[1]
    step = line * channels
    columns = pointer(work[worker])
    most = done.size // stages.shape[0]
    while True:
        if task < 0:
            task = take(turns)
            if task >= stages[-1, FIRST] + stages[-1, TASKS]:
                return -1
        stage = stages.shape[0] - 1
        while stages[stage, FIRST] > task:
            stage -= 1
        kind, layer, b = stages[stage, KIND], stages[stage, LAYER], task - stages[stage, FIRST]
        if not is_ready(done, most, stages, stage, b, bands, wide):
            return task
        top = max(b * down // bands * out, stages[stage, TOP])
        bottom = max(min((b + 1) * down // bands * out, stages[stage, BOTTOM]), top)
        left, right = stages[stage, LEFT], stages[stage, RIGHT]
        source, target_plane = pointer(planes[stages[stage, FROM]]), pointer(planes[stages[stage, TO]])
        if kind == WEIGHTS:
            prepare_weights(b, wide, starts, parameters, turned, weights, channels, columns, edge)
        elif kind == WIDEN or kind == NARROW_BACK:
            back = kind == NARROW_BACK
            plane = pointer(dy if back else image)
            w = pointer(turned[layer]) if back else behind(pointer(parameters), starts[0])
            bias, floor = pointer(biases[starts.size if back else 0]), -np.inf if back else 0.0
            widen_rows(plane, line, top, bottom, left, right, w, bias, floor, source, back, target_plane, channels)
        elif kind == WIDE or kind == WIDE_BACK:
            back = kind == WIDE_BACK
            across = whole(right - left, out)
            tiles = whole(bottom - top, out) * across
            before = pointer(planes[layer - 1]) if back else source
            start = (top + 1) * step + (left + 1) * channels
            corner = start - channels
            if back:
                around = before, corner - step, corner, corner + out * step, step
                share = pointer(sums[layer % 2, b])
                sum_tiles(around, (source, start, step), tiles, across, channels, channels, share, columns, edge)
            u = pointer(weights[layer - 1 + (wide if back else 0)])
            bias, floor = pointer(biases[starts.size if back else layer]), -np.inf if back else 0.0
            x = source, corner - step, corner, corner + out * step, step
            y = target_plane, start, step, height - top, width - left
            convolve_tiles(x, y, tiles, across, channels, channels, u, bias, floor, before, back, columns, edge)
        elif kind == NARROW:
            w = behind(pointer(parameters), starts[layer])
            narrow_rows(source, step, top, bottom, left, right, w, biases[layer, 0], image, output, columns, channels)
            if scale != 0:
                losses[b], bias_sums[layer, b, 0] = l1_rows(output, target, mask, scale, dy, top, bottom)
        elif kind == FINISH:
            dw, shares = behind(pointer(gradients), starts[layer]), pointer(sums[layer % 2])
            finish_weight_gradient(shares, bands, sums.shape[2], dw, b, channels, channels, columns, edge)
        if kind == NARROW_BACK or kind == WIDEN_BACK:
            back = kind == NARROW_BACK
            plane, share = pointer(dy if back else image), thin_sums[1 if back else 0, b]
            correlate_rows(plane, line, top, bottom, source, share, width, channels)
        if (kind == WIDE_BACK or kind == WIDEN_BACK) and biased:
            add_up(source, (top + 1) * step + channels, step, bottom - top, width, channels, bias_sums[layer, b])
        mark(done, stage * most + b)
        task = -1


@inner
def is_ready(done, most, stages, stage, b, bands, wide):
    """Whether the tasks that task ``b`` of this stage needs are done."""
    near, all_of, kind = stages[stage, NEAR], stages[stage, ALL], stages[stage, KIND]
    if kind == WIDE or kind == WIDE_BACK:
        needed = stages[stage, LAYER] - 1 + (wide if kind == WIDE_BACK else 0)
        if not all_marked(done, needed, needed + 1):  # its weights
            return False
    if near >= 0 and not all_marked(done, near * most + max(b - 1, 0), near * most + min(b + 2, bands)):
        return False
    return all_of < 0 or all_marked(done, all_of * most, all_of * most + stages[all_of, TASKS])


@inner
def prepare_weights(b, wide, starts, parameters, turned, weights, channels, columns, edge):
    """Transform the weights of a wide layer: for b < ``wide`` as they are, else turned for the way back."""
    layer = b % wide + 1
    w, u = behind(pointer(parameters), starts[layer]), pointer(weights[b])
    if b >= wide:
        values, copy = parameters[starts[layer] :], turned[layer]
        for n in range(9):
            for i in range(channels):
                for o in range(channels):
                    copy[((8 - n) * channels + o) * channels + i] = values[(n * channels + i) * channels + o]
        w = pointer(copy)
    transform_weights(w, channels, channels, u, columns, edge)


@inner
def widen_rows(x, line, top, bottom, left, right, w, bias, floor, active, masked, y, channels):
    """Compute these rows and columns of a plane y of many channels, from the plane x of one channel."""
    for i in range(top, bottom):
        k = (i + 1) * line + left + 1
        widen_row(x, k - line, k, k + line, w, bias, floor, active, masked, y, k * channels, right - left, channels)


@inner
def correlate_rows(x, line, top, bottom, wide, sums, width, channels):
    """sums = the sum of ``correlate_row`` over these rows of planes."""
    sums[...] = 0.0
    for i in range(top, bottom):
        k = (i + 1) * line + 1
        correlate_row(x, k - line, k, k + line, wide, k * channels, pointer(sums), width, channels)


@inner
def narrow_rows(wide, step, top, bottom, left, right, w, bias, image, output, residual, channels):
    """output = image + residual, for these rows and columns."""
    for i in range(top, bottom):
        for j in range(left, right, 4):
            k = (i + 1) * step + (j + 1) * channels
            narrow_four(wide, k - step, k, k + step, w, residual, channels)
            for n in range(min(4, right - j)):
                output[i, j + n] = image[i + 1, j + n + 1] + (residual[n] + bias)


@inner
def l1_rows(output, target, mask, scale, dy, top, bottom):
    """The sums of |output - target| and of its gradient over the mask in these rows; the gradient goes into ``dy``."""
    total, slope = 0.0, 0.0
    for i in range(top, bottom):
        for j in range(output.shape[1]):
            error = output[i, j] - target[i, j] if mask[i, j] else np.float32(0.0)
            sign = np.float32(1.0) if error > 0 else np.float32(-1.0) if error < 0 else error
            dy[i + 1, j + 1] = sign * scale
            total += abs(np.float64(error))
            slope += sign * scale
    return total, slope


@inner
def add_up(x, start, step, rows, cols, channels, totals):
    """totals[c] = sum of channel c over rows and columns, in float64."""
    totals[:] = 0.0
    for i in range(rows):
        for j in range(cols):
            k = start + i * step + j * channels
            for c in range(channels):
                totals[c] += x[k + c]
