"""What all feeds over a network have in common: their waits, and how they tell of failures."""

import contextlib
import random
from collections.abc import Callable, Generator

import httpx

from tap.errors import FeedError

_REFUSALS = {
    401: "The server wants a login (401); check the feed's token or password.",
    403: "The server refuses access (403); check the feed's token or password.",
    404: "The server has nothing at this path (404); check the feed's URL.",
}


class RefusedError(FeedError):
    """The server answered, but not with a stream; a person has to change something."""


def check_status(status: int) -> None:
    """Raise `RefusedError` for an answer that trying again alone won't change."""
    if status in _REFUSALS:
        raise RefusedError(_REFUSALS[status])
    if 300 <= status < 400:
        raise RefusedError(f"The server redirects elsewhere ({status}); set the URL it names.")


def next_wait_s(lost: int, first_s: float, longest_s: float) -> float:
    """Doubling waits, spread by a fifth so that feeds lost together don't return together.

    `lost` is how many connections in a row were lost before this one.
    """
    return min(longest_s, first_s * 2.0 ** min(lost, 16)) * random.uniform(0.8, 1.2)


@contextlib.contextmanager
def in_plain_words(tell: Callable[[str], str]) -> Generator[None]:
    """Map the HTTP library's exceptions to `FeedError`; `tell` takes secrets out of a text."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise FeedError("The server could not be reached in time; is it on?") from error
    except httpx.TimeoutException as error:
        raise FeedError("The server fell silent.") from error
    except httpx.ConnectError as error:
        raise FeedError(tell(f"The server could not be reached ({error}).")) from error
    except httpx.RemoteProtocolError as error:
        if "closed connection" in str(error) or "disconnected" in str(error):
            raise FeedError("The server hung up.") from error
        raise FeedError(tell(f"The server's answer is no proper HTTP ({error}).")) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        raise FeedError(tell(f"The connection failed ({error}).")) from error
