"""What an address in `shoot.toml` must be, and must not hold."""

import re
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_TELLING_NAMES = r"token|secret|passw|pwd|api_?key|^(key|auth|sig|signature|access|credential)s?$"


def address(*schemes: str) -> AfterValidator:
    """A check that a text is an address of one of these schemes, without any secret in it."""

    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            port_fits = parts.port is None or parts.port > 0
        except ValueError:
            parts, port_fits = urlsplit(""), False
        clean = re.fullmatch(r"[!-~]{1,2000}", value) is not None
        if not clean or parts.scheme not in schemes or not parts.hostname or not port_fits:
            raise PydanticCustomError("not_a_url", "not such an address")
        if parts.username is not None or parts.password is not None:
            raise ValueError(
                "a secret stands in this address: expected it without name and password; put the "
                "secret in an environment variable and name that in token_env"
            )
        secret = next((name for name, _ in parse_qsl(parts.query) if _names_secret(name)), None)
        if secret is not None:
            raise ValueError(
                f"a secret stands in this address ({secret}): expected it without; put the secret "
                f'in an environment variable, name that in token_env, and say token_in = "query", '
                f'token_name = "{secret}"'
            )
        return value

    return AfterValidator(check)


def _names_secret(parameter: str) -> bool:
    """Whether a query parameter of that name holds a secret, as far as its name says."""
    return re.search(_TELLING_NAMES, parameter.lower()) is not None
