"""Training: schedule, replay of a tape, and a whole run with random numbers of its own."""

from __future__ import annotations

import math

import numpy as np

from tests.peers.second_implementation.crops import Level, crop_of, level_of, levels, pair
from tests.peers.second_implementation.files import Task, integers, numbers, refuse_unless
from tests.peers.second_implementation.images import CURVES, DOWNSAMPLINGS, ranged
from tests.peers.second_implementation.network import (
    Shape,
    loss_and_gradient,
    outputs,
    parameters_of,
    shape_of,
    upscaled,
    upscaling_of,
)


class Schedule:
    """D12, D13: the learning rate, told the errors as they come."""

    def __init__(self, rate: float, final: float):
        """Start with the first rate."""
        self.rate, self.final, self.changed, self.errors = rate, final, 0, []

    def after(self, step: int) -> bool:
        """Look at the errors after ``step``; whether the rate changed (0 is the end)."""
        if step % 60 or step - self.changed <= 256 or len(self.errors) < 5:
            return False
        x, y = (np.array(part, dtype=float) for part in zip(*self.errors[-5:], strict=True))
        away, spread = x - x.mean(), ((x - x.mean()) ** 2).sum()
        slope = float((away * (y - y.mean())).sum() / spread)
        left = y - y.mean() - slope * away
        if -1.5 * slope > math.sqrt(float((left**2).sum()) / 3 / spread):
            return False
        self.changed, self.rate = step, self.rate / 10
        if self.rate <= self.final * (1 + 1e-9):
            self.rate = 0.0
        return True


def rates_of(task: Task) -> Schedule:
    """The schedule of the parameters learning_rate and final_rate."""
    rate = task.number("learning_rate", lambda v: v > 0, "a number above 0", 1e-3)
    final = task.number("final_rate", lambda v: v > 0, "a number above 0", 1e-6)
    refuse_unless(final < rate, "final_rate", f"it is {final}, not below the learning rate {rate}")
    return Schedule(rate, final)


def learning_rate(task: Task) -> dict:
    """The rates that follow from given errors."""
    schedule, steps = rates_of(task), task.whole("steps", 1)
    table = task.table("errors", "step", "error")
    step, error = integers(table, "step"), numbers(table, "error")
    refuse_unless(bool(np.all(np.diff(step) > 0) and np.all(step >= 0)), "step", "steps must rise")
    refuse_unless(bool(np.all(step % 50 == 0)), "step", "errors are known every 50 steps")
    refuse_unless(bool(np.all(error >= 0)), "error", "an error is not negative")
    known, rows = dict(zip(step.tolist(), error.tolist(), strict=True)), [(0, schedule.rate)]
    for now in range(steps + 1):
        if now in known:
            schedule.errors.append((now, known[now]))
        if now and schedule.after(now):
            rows.append((now, schedule.rate))
        if schedule.rate == 0:
            break
    return {"rates.csv": {"step": [row[0] for row in rows], "rate": [row[1] for row in rows]}}


def read_tape(task: Task, found: list[Level], size: int) -> list[tuple[int, Level, int, int, int]]:
    """The rows of the tape with their levels, each within its level."""
    table = task.table("tape", "step", "scale", "row", "column", "turn")
    step, row, column, turn = (integers(table, name) for name in ("step", "row", "column", "turn"))
    scale = numbers(table, "scale")
    refuse_unless(step.size > 0, "tape", "it has no rows")
    later = step[step > 0]
    ordered = np.all(np.diff(step) >= 0) and step[0] >= 0 and np.array_equal(later, np.arange(1, later.size + 1))
    refuse_unless(bool(ordered), "step", "rows of step 0, then 1, 2, 3, ... are expected")
    refuse_unless(later.size < 50 or step[0] == 0, "tape", "from step 50 on, crops of step 0 to measure are expected")
    refuse_unless(bool(np.all((turn >= 0) & (turn <= 7))), "turn", "turns from 0 to 7 are expected")
    tape = []
    for s, k, r, c, t in zip(step.tolist(), scale.tolist(), row.tolist(), column.tolist(), turn.tolist(), strict=True):
        level = level_of(found, k)
        refuse_unless(level is not None, "tape", f"the map has no level of scale {k}")
        rows, cols = level.image.shape
        refuse_unless(
            0 <= r <= rows - size and 0 <= c <= cols - size, "tape", f"the crop at ({r}, {c}) reaches beyond the map"
        )
        tape.append((s, level, r, c, t))
    return tape


def reconstruction_error(vector, pairs: list, shape: Shape, policy: str) -> float:
    """Over the valid cells of the crops of step 0."""
    import torch

    if not pairs:
        return math.nan
    inputs, targets, masks = (np.stack(part) for part in zip(*pairs, strict=True))
    with torch.no_grad():
        made = outputs(torch.tensor(vector, dtype=torch.float64), torch.from_numpy(inputs), shape).numpy()
    away = np.abs(made - targets)[masks]
    return float(np.mean(away**2 if policy == "mse" else away))


def replayed(tape: list, size: int, vector: np.ndarray, shape: Shape, schedule: Schedule, options: dict):
    """The trained parameters and the table of losses."""
    import torch

    made = lambda row: pair(*row[1:2], size, *row[2:], options["downsampling"], options["transform"])  # noqa: E731
    fixed = [made(row) for row in tape if row[0] == 0]
    p = torch.nn.Parameter(torch.tensor(vector, dtype=torch.float64))
    optimiser = torch.optim.Adam([p], lr=schedule.rate)
    losses: dict[str, list] = {"step": [], "loss": [], "learning_rate": [], "reconstruction_error": []}
    for row in (row for row in tape if row[0] > 0):
        step = row[0]
        loss, gradient = loss_and_gradient(p.detach().numpy(), *made(row), shape)
        p.grad = torch.from_numpy(gradient)
        optimiser.step()
        error = math.nan
        if step % 50 == 0:
            error = reconstruction_error(p.detach().numpy(), fixed, shape, options["policy_loss"])
            schedule.errors.append((step, error))
        for column, value in zip(losses.values(), (step, loss, optimiser.param_groups[0]["lr"], error), strict=True):
            column.append(value)
        schedule.after(step)
        optimiser.param_groups[0]["lr"] = schedule.rate
        if schedule.rate == 0:
            break
    return p.detach().numpy(), losses


DEFAULTS = {"downsampling": "mean", "transform": "linear", "policy_loss": "l1"}


def options_of(task: Task) -> dict:
    """The words among the settings of training."""
    return {
        "downsampling": task.choice("downsampling", DOWNSAMPLINGS, "mean"),
        "transform": task.choice("transform", CURVES, "linear"),
        "policy_loss": task.choice("policy_loss", ("l1", "mse"), "l1"),
    }


def train_steps(task: Task) -> dict:
    """Training replayed from a tape."""
    shape, options, schedule, crop = shape_of(task), options_of(task), rates_of(task), crop_of(task)
    vector = parameters_of(task, shape)
    size, found = levels(*task.masked_image(), crop, task.flag("pyramid", True))
    tape = read_tape(task, found, size)
    trained, losses = replayed(tape, size, vector, shape, schedule, options)
    return {"trained.npy": trained.astype(task.array("image").dtype), "losses.csv": losses}


def random_tape(found: list[Level], steps: int, rng: np.random.Generator) -> list:
    """D14, D15: the full size half of the time, corners and turns uniform; 16 crops of step 0."""
    tape = []
    for step in [0] * 16 + list(range(1, steps + 1)):
        others = found[1:]
        level = found[0] if not others or rng.random() < 0.5 else others[rng.integers(len(others))]
        corners = np.argwhere(level.corners)
        row, column = corners[rng.integers(len(corners))].tolist()
        tape.append((step, level, row, column, int(rng.integers(8))))
    return tape


def drawn(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """D11: weights as He draws them, the last layer small, biases 0."""
    parts = []
    for layer, (c_in, c_out) in enumerate(shape.channels_of(), start=1):
        deviation = math.sqrt(2 / (9 * c_in)) * (0.03 if layer == shape.layers else 1)
        parts.append(rng.normal(0, deviation, 9 * c_in * c_out))
        parts.append(np.zeros(c_out if shape.bias else 0))
    return np.concatenate(parts)


def super_resolve(task: Task) -> dict:
    """Fig. 8: a whole training, then inference."""
    from tests.peers.second_implementation.rasters import band

    shape, options, upscaling, schedule = shape_of(task), options_of(task), upscaling_of(task), rates_of(task)
    rng, crop = np.random.default_rng(task.whole("seed", 0)), task.whole("crop", 4, 128)
    refuse_unless(crop % 2 == 0, "crop", "an even number is expected")
    steps = task.whole("max_steps", 1)
    if task.value("scheme", "he") != "he":
        raise NotImplementedError("only He's initialisation is supported")
    coarse = band(task, "coarse")
    image = ranged(coarse.values, coarse.valid)[0]
    size, found = levels(image, coarse.valid, crop, task.flag("pyramid", True), "coarse")
    trained, _ = replayed(random_tape(found, steps, rng), size, drawn(shape, rng), shape, schedule, options)
    return {"weights.tif": upscaled(coarse, trained, shape, upscaling)}
