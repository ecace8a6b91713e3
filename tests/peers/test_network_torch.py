"""Convolutions, gradients and Adam against PyTorch in float64 (its layout is C_out, C_in, 3, 3)."""

import numpy as np
import pytest

from refimpl.method.adam import adam_step
from refimpl.method.network import convolve, initialise, loss_and_gradients
from refimpl.twins import backend

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def plain_reference():
    torch.set_num_threads(2)
    with backend("numpy"):
        yield


class Theirs(torch.nn.Module):
    """The same network, written with their layers, over a copy of our weights."""

    def __init__(self, network):
        super().__init__()
        self.convolutions = torch.nn.ModuleList()
        for layer in network.layers:
            _, _, c_in, c_out = layer.weights.shape
            convolution = torch.nn.Conv2d(c_in, c_out, 3, padding=1, bias=network.bias, dtype=torch.float64)
            convolution.weight.data = torch.tensor(layer.weights.transpose(3, 2, 0, 1).copy())
            if network.bias:
                convolution.bias.data = torch.tensor(layer.bias)
            self.convolutions.append(convolution)

    def forward(self, image):
        x = image
        for convolution in self.convolutions[:-1]:
            x = torch.relu(convolution(x))
        return image + self.convolutions[-1](x)

    def flat(self, of=lambda p: p):
        """Parameters, or their gradients, in our order."""
        parts = []
        for convolution in self.convolutions:
            parts.append(of(convolution.weight).detach().numpy().transpose(2, 3, 1, 0).ravel())
            if convolution.bias is not None:
                parts.append(of(convolution.bias).detach().numpy())
        return np.concatenate(parts)


def batch(image):
    return torch.tensor(image)[None, None]


@pytest.mark.parametrize("relu", [False, True])
def test_convolution_agrees_with_torch(relu):
    rng = np.random.default_rng(1)
    x, weights, bias = rng.normal(size=(11, 9, 5)), rng.normal(size=(3, 3, 5, 4)), rng.normal(size=4)
    theirs = torch.nn.functional.conv2d(torch.tensor(x.transpose(2, 0, 1).copy())[None],
                                        torch.tensor(weights.transpose(3, 2, 0, 1).copy()), torch.tensor(bias),
                                        padding=1)
    theirs = (torch.relu(theirs) if relu else theirs)[0].numpy().transpose(1, 2, 0)
    # Sums of 45 products of order 1 in another order.
    assert np.abs(convolve(x, weights, bias, relu) - theirs).max() < 1e-13


@pytest.mark.parametrize("depth, bias", [(8, False), (8, True), (9, False), (9, True)])
def test_loss_and_gradients_agree_with_torch(depth, bias):
    rng = np.random.default_rng(depth)
    network = initialise(rng, depth, 16, bias, dtype=np.float64)
    network.parameters[:] += 0.02 * rng.normal(size=network.parameters.size)
    image, target, mask = rng.random((20, 17)), rng.random((20, 17)), rng.random((20, 17)) < 0.7
    theirs = Theirs(network)
    their_loss = torch.abs(theirs(batch(image)) - batch(target))[0, 0][torch.tensor(mask)].mean()
    their_loss.backward()
    loss, gradients = loss_and_gradients(network, image, target, mask)
    assert abs(loss - their_loss.item()) < 1e-14
    expected = theirs.flat(lambda p: p.grad)
    # Rounding through nine layers; signs of |error| and ReLU could only differ at exact ties.
    assert np.linalg.norm(gradients.parameters - expected) < 1e-12 * np.linalg.norm(expected)


def test_twenty_steps_of_training_follow_torch():
    rng = np.random.default_rng(3)
    network = initialise(rng, 4, 8, True, dtype=np.float64)
    theirs = Theirs(network)
    optimiser = torch.optim.Adam(theirs.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    moments = np.zeros((2, network.parameters.size))
    for step in range(1, 21):
        image, target = rng.random((12, 12)), rng.random((12, 12))
        optimiser.zero_grad()
        torch.abs(theirs(batch(image)) - batch(target)).mean().backward()
        optimiser.step()
        _, gradients = loss_and_gradients(network, image, target, np.ones((12, 12), bool))
        adam_step(network.parameters, gradients.parameters, *moments, step, 1e-3, 0.9, 0.999, 1e-8)
    # Adam divides by sqrt(v): rounding of 1e-16 in small gradients is amplified, but stays far below a step of 1e-3.
    assert np.abs(network.parameters - theirs.flat()).max() < 1e-10
