"""What was said against what was seen: claims and events in, verdicts out. Pure."""

from tap.judge.judge import Judge
from tap.judge.tolerances import Tolerances

__all__ = ["Judge", "Tolerances"]
