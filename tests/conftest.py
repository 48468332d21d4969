"""What the tests of several rooms share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import made_shoot, standin


@pytest.fixture(scope="session")
def short_shoot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shoot of `made_shoot`, made once. Nobody may write to it."""
    return made_shoot.make(tmp_path_factory.mktemp("short") / "shoot")


@pytest.fixture(scope="session")
def _serving() -> Iterator[standin.StandIn]:
    try:
        standin.build()
    except standin.UnbuiltError as error:
        pytest.skip(f"NOT RUN: the stand-in for Convex could not be built ({error})")
    with standin.serving() as found:
        yield found


@pytest.fixture
def far(_serving: standin.StandIn) -> standin.StandIn:
    """A stand-in deployment without rows and faults."""
    _serving.reset()
    return _serving
