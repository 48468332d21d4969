"""What the pictures say: which camera the program shows, since when, and how sure that is."""

from tap.sight.calibrate import Calibration
from tap.sight.now import Now
from tap.sight.settings import SightSettings
from tap.sight.shots import Piece
from tap.sight.sight import Sight

__all__ = ["Calibration", "Now", "Piece", "Sight", "SightSettings"]
