"""What the tests of several rooms share."""

from pathlib import Path

import pytest
from tests import made_shoot


@pytest.fixture(scope="session")
def short_shoot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shoot of `made_shoot`, made once. Nobody may write to it."""
    return made_shoot.make(tmp_path_factory.mktemp("short") / "shoot")
