"""Resizing 20 million cells, and the preparation of training crops, beside Pillow and PyTorch.

The image is smooth: Pillow and PyTorch cut the kernel at the edge where refimpl mirrors the image, so digests are
samples of the interior; and PyTorch's plain bicubic has another kernel (a = -0.75), which on a smooth image gives
nearly the same.  With ``antialias=True`` its kernel is ours (a = -0.5), also when it enlarges.
"""

from __future__ import annotations

import numpy as np

from tests.bench.job import Contender, Job

SHAPE = (4000, 5000)
UP, DOWN = (8000, 10000), (2000, 2500)
CROPS = 200


def image() -> np.ndarray:
    """Waves of some 60 to 300 cells between 0 and 2, float32."""
    row, column = np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])
    return (1 + np.sin(row / 11 + column / 50) * np.cos(column / 13)).astype(np.float32)


def interior(answer: np.ndarray) -> np.ndarray:
    """Some 1,500 cells, rows and columns of both parities, none within 32 cells of an edge."""
    answer = np.asarray(answer).reshape(np.asarray(answer).shape[-2:])
    return answer[32:-32:51, 32:-32:127].astype(float)


def prepare_refimpl(shape):
    def prepare():
        from refimpl.method.resize import resize_bicubic

        source = image()
        return lambda: resize_bicubic(source, shape)

    return prepare


def prepare_pillow(shape):
    def prepare():
        from PIL import Image

        source = Image.fromarray(image())
        return lambda: source.resize(shape[::-1], Image.Resampling.BICUBIC)

    return prepare


def prepare_torch(shape, antialias, channels_last=False):
    def prepare():
        import torch

        torch.set_num_threads(2)
        source = torch.from_numpy(image())[None, None]
        if channels_last:
            source = source.contiguous(memory_format=torch.channels_last)
        options = {"size": shape, "mode": "bicubic", "align_corners": False, "antialias": antialias}
        return lambda: torch.nn.functional.interpolate(source, **options)

    return prepare


def resizers(shape, plain: bool) -> tuple[Contender, ...]:
    """refimpl, Pillow and PyTorch; ``plain`` adds PyTorch without antialiasing, its usual way to enlarge."""
    found = [Contender("refimpl", prepare_refimpl(shape), interior, ours=True)]
    found.append(Contender("Pillow", prepare_pillow(shape), interior))
    for last in (False, True):
        layout = ", channels last" if last else ""
        found.append(Contender(f"PyTorch, antialias{layout}", prepare_torch(shape, True, last), interior))
        if plain:
            found.append(Contender(f"PyTorch, a = -0.75{layout}", prepare_torch(shape, False, last), interior))
    return tuple(found)


def prepare_mean():
    from refimpl.method.resize import downsample_mean_valid

    source, valid = image(), np.ones(SHAPE, bool)
    return lambda: downsample_mean_valid(source, valid)[0]


def prepare_mean_pillow():
    from PIL import Image

    source = Image.fromarray(image())
    return lambda: source.reduce(2)


def prepare_mean_torch():
    import torch

    torch.set_num_threads(2)
    source = torch.from_numpy(image())[None, None]
    return lambda: torch.nn.functional.avg_pool2d(source, 2)


def draws(size: int) -> np.ndarray:
    """(CROPS, 3): row, column and turn of each crop."""
    return np.random.default_rng(1).integers(0, (600 - size, 600 - size, 8), (CROPS, 3))


def prepare_crops(size):
    def prepare():
        from refimpl.method.settings import UpscaleSettings
        from refimpl.method.training_pairs import Draw, cut, training_pair
        from refimpl.windows.levels import pyramid_of
        from refimpl.windows.scaled import in_memory

        levels = pyramid_of(in_memory(image()[:600, :600], np.ones((600, 600), bool)), size, pyramid=False)
        crops, settings = [Draw(1, 1.0, *map(int, draw)) for draw in draws(size)], UpscaleSettings()
        return lambda: [training_pair(*cut(levels, draw, size), settings)[:2] for draw in crops]

    return prepare


def prepare_crops_torch(size):
    """The same without a mask, of which PyTorch knows nothing."""

    def prepare():
        import torch

        torch.set_num_threads(2)
        source, crops = torch.from_numpy(image()[:600, :600].copy()), draws(size).tolist()

        def pair(row, column, turn):
            father = torch.rot90(source[row : row + size, column : column + size], turn % 4)
            father = (father.flip(1) if turn >= 4 else father).contiguous()
            son = torch.nn.functional.avg_pool2d(father[None, None], 2)
            options = {"size": (size, size), "mode": "bicubic", "align_corners": False, "antialias": True}
            return torch.nn.functional.interpolate(son, **options)[0, 0], father

        return lambda: [pair(*draw) for draw in crops]

    return prepare


def middles(answer) -> np.ndarray:
    """Eight cells from the middle of each crop's input and target."""
    return np.array([[np.asarray(part)[20, 20:28] for part in pair] for pair in answer], float)


def crop_job(size: int) -> Job:
    return Job(
        name=f"crop-preparation-{size}",
        title=f"{CROPS} training crops of {size}x{size}: cut, turned, coarsened, interpolated back",
        goal=0.0,
        contenders=(
            Contender("refimpl", prepare_crops(size), middles, ours=True),
            Contender("PyTorch", prepare_crops_torch(size), middles),
        ),
        tolerance=1e-5,
        why="float32 (6e-8) sums of up to 16 products in another order",
    )


JOBS = (
    Job(
        name="resize-up-20m",
        title="bicubic, 20 to 80 million cells, float32",
        goal=2.0,
        contenders=resizers(UP, plain=True),
        tolerance=5e-3,
        why="PyTorch's plain kernel has a = -0.75, which differs by 1e-3 on this image; half a cell off is 2e-2",
        flops=float(UP[1] // 2 * UP[0] * 7 + UP[0] * UP[1] * 7),
        bytes=4.0 * (np.prod(SHAPE) + np.prod(UP)),
    ),
    Job(
        name="resize-down-20m",
        title="bicubic, antialiased, 20 to 5 million cells, float32",
        goal=2.0,
        contenders=resizers(DOWN, plain=False),
        tolerance=1e-5,
        why="float32 (6e-8) sums of 64 products in another order",
        flops=float(SHAPE[1] * DOWN[0] * 15 + DOWN[0] * DOWN[1] * 15),
        bytes=4.0 * (np.prod(SHAPE) + np.prod(DOWN)),
    ),
    Job(
        name="mean-down-20m",
        title="2x2 mean over valid cells (opponents: over all cells), 20 to 5 million cells, float32",
        goal=0.0,
        contenders=(
            Contender("refimpl", prepare_mean, interior, ours=True),
            Contender("Pillow", prepare_mean_pillow, interior),
            Contender("PyTorch", prepare_mean_torch, interior),
        ),
        tolerance=1e-5,
        why="float32 (6e-8) sums of 4 numbers in another order",
        bytes=4.0 * (np.prod(SHAPE) + np.prod(DOWN)),
    ),
    crop_job(64),
    crop_job(128),
)
