"""What changes with many cameras: a search through all of them takes turns."""

FEW = 8
"""Up to so many cameras everything is searched as often as is good."""


def groups(cameras: int) -> int:
    """In how many groups so many cameras are searched, one after the other."""
    return max(1, -(-cameras // FEW))


def step_of(count: int, cameras: int) -> int | None:
    """Which step of its schedule a search through so many cameras is at, in the `count`-th frame;
    None between two steps. A step is a frame, and as many frames as it costs where there are many
    cameras: else the search would take longer than the pictures do to come."""
    frames = groups(cameras)
    return count // frames if count % frames == 0 else None
