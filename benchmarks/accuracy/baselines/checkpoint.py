"""Reads a torch checkpoint without torch, whose Linux wheel brings gigabytes of CUDA along."""

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class _Unpickler(pickle.Unpickler):
    """Reads a torch state dict and nothing else: no other name is ever looked up."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(archive.open(f"{root}/data.pkl"))
        self._archive = archive
        self._root = root

    def find_class(self, module: str, name: str) -> Any:
        """What the few names of a state dict stand for."""
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch", "FloatStorage"): np.dtype("<f4"),
            ("torch", "LongStorage"): np.dtype("<i8"),
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a state dict")
        return known[module, name]

    def persistent_load(self, pid: Any) -> npt.NDArray[Any]:
        """A tensor's storage."""
        _, dtype, key, _, _ = pid
        return np.frombuffer(self._archive.read(f"{self._root}/data/{key}"), dtype)


def _tensor(
    storage: npt.NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> npt.NDArray[Any]:
    count = int(np.prod(size))
    tensor = storage[offset : offset + count].reshape(size)
    assert tuple(step // tensor.itemsize for step in tensor.strides) == tuple(stride)
    return tensor


def read_weights(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a torch checkpoint, by name."""
    with zipfile.ZipFile(path) as archive:
        root = archive.namelist()[0].split("/")[0]
        return dict(_Unpickler(archive, root).load())
