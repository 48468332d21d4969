"""What the optional extra `archive` brings: said in one sentence where it is missing."""

import importlib
from typing import Any

from tap.errors import InputError


def need(module: str, purpose: str) -> Any:
    """A module of the extra. Raises `InputError` that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{purpose} needs the package {module.partition('.')[0]}, which is not installed; "
            "install it with: pip install 'tap-witness[archive]'"
        ) from error
