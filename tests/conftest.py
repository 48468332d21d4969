"""What the tests of several rooms share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import made_shoot, standin


@pytest.fixture(scope="session", autouse=True)
def _own_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The key that sessions are sealed with is a test's own, never the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def short_shoot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shoot of `made_shoot`, made once. Nobody may write to it."""
    return made_shoot.make(tmp_path_factory.mktemp("short") / "shoot")


@pytest.fixture(scope="session")
def serving() -> Iterator[standin.StandIn]:
    """A stand-in deployment, one for all tests of a process."""
    try:
        standin.build()
    except standin.UnbuiltError as error:
        pytest.skip(f"NOT RUN: the stand-in for Convex could not be built ({error})")
    with standin.serving() as found:
        yield found


@pytest.fixture
def far(serving: standin.StandIn) -> standin.StandIn:
    """A stand-in deployment without rows and faults."""
    serving.reset()
    return serving
