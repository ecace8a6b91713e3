"""Operations of stage zssr on the network: first weights, forward, gradients, Adam, inference, the median."""

from __future__ import annotations

import numpy as np

from refimpl.conformance.operations.reading import array, image, mask, named, whole
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.method.adam import BETA1, BETA2, EPSILON, adam_step
from refimpl.method.network import Network, initialise, loss_and_gradients
from refimpl.method.network import forward as network_forward
from refimpl.method.settings import UpscaleSettings
from refimpl.method.super_resolution import median as median_of
from refimpl.windows.inference import infer


class OneDeviation:
    """Stands for a random generator: every number that it draws lies one standard deviation above the mean."""

    def normal(self, mean: float, deviation: float, shape: tuple[int, ...]) -> np.ndarray:
        """The mean plus one deviation, in every place."""
        return np.full(shape, mean + deviation)


def network_of(task: Task, dtype: np.dtype | None = None) -> Network:
    """``parameters.npy`` as a network, in ``dtype`` (that of the image) if one is given."""
    parameters, defaults = array(task, "parameters", 1), UpscaleSettings()
    layers, channels = (whole(task, name, getattr(defaults, name)) for name in ("layers", "channels"))
    bias = task.parameter("bias", defaults.bias)
    if not isinstance(bias, bool):
        raise InputError(f"bias is {bias!r}; expected true or false")
    return Network(parameters.astype(dtype or parameters.dtype), layers, channels, bias)


def initialisation(task: Task) -> dict:
    """D11: the first weights of a network whose draws all lie one standard deviation above the mean."""
    options = {"scheme": task.parameters["scheme"]} if "scheme" in task.parameters else {}
    shape = whole(task, "layers"), whole(task, "channels")
    layers = initialise(OneDeviation(), *shape, dtype=np.float64, **options).layers
    deviations = [float(np.sqrt(np.mean(layer.weights**2))) for layer in layers]
    return {"deviations": {"layer": list(range(1, len(layers) + 1)), "deviation": deviations}}


def forward(task: Task) -> dict:
    """Fig. 8, D10: the network's output."""
    values = array(task, "image", 2)
    return {"fine": network_forward(network_of(task, values.dtype), values)}


def gradients(task: Task) -> dict:
    """Eq. 2: the L1 loss over the mask (D15), and its gradient."""
    values = array(task, "image", 2)
    target, inside = array(task, "target", 2).astype(values.dtype), mask(task, "mask", values)
    loss, found = loss_and_gradients(network_of(task, values.dtype), values, target, inside)
    return {"loss": named(loss=loss), "gradients": found.parameters}


def adam(task: Task) -> dict:
    """D11: steps of Adam from moments of 0."""
    parameters, steps = array(task, "parameters", 1), array(task, "gradients", 2)
    if steps.shape[1] != parameters.size:
        raise InputError(f"gradients: have shape {steps.shape}; expected rows of {parameters.size}, as parameters has")
    first, second = np.zeros((2, parameters.size), parameters.dtype)
    names = ("rate", "beta1", "beta2", "epsilon")
    known = (UpscaleSettings.learning_rate, BETA1, BETA2, EPSILON)
    options = [task.parameter(name, default) for name, default in zip(names, known, strict=True)]
    for step, row in enumerate(steps.astype(parameters.dtype), 1):
        adam_step(parameters, row, first, second, step, *options)
    return {"updated": parameters, "first_moment": first, "second_moment": second}


def infer_window(task: Task) -> dict:
    """A window of the network's output for the whole image."""
    values, valid = image(task)
    return {"fine": infer(network_of(task, values.dtype), values, valid, window_of(task, values.shape))}


def window_of(task: Task, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """The parameter ``window``, which must lie inside an image of ``shape``."""
    window = task.parameter("window")
    if not (isinstance(window, list) and [type(edge) for edge in window] == [int] * 4):
        raise InputError(f"window is {window!r}; expected [top, bottom, left, right]")
    top, bottom, left, right = window
    if not (0 <= top <= bottom <= shape[0] and 0 <= left <= right <= shape[1]):
        raise InputError(f"window is {window}; expected one inside the image, {shape[0]} x {shape[1]} cells")
    return top, bottom, left, right


def median(task: Task) -> dict:
    """D17: the median of images."""
    images = array(task, "images", 3)
    if not len(images):
        raise InputError("images: there is none; expected at least one")
    return {"median": median_of(images)}


OPERATIONS = {
    "initialisation": initialisation,
    "forward": forward,
    "gradients": gradients,
    "adam": adam,
    "infer_window": infer_window,
    "median": median,
}
