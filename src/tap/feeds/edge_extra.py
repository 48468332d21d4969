"""What the optional extra `edge` brings: said in one sentence where it is missing."""

from typing import Any

from tap.errors import InputError


def nats_client() -> Any:
    """A NATS client, not connected. Raises `InputError` that says how to install it."""
    try:
        from nats.aio.client import Client  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise InputError(
            "far cameras need the package nats-py, which is not installed; install it with: "
            "pip install 'tap-witness[edge]'"
        ) from error
    return Client()
