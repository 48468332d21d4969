"""tap: an independent witness for live multi-camera shoots."""

import os

# OpenCV reads this once, when it is first loaded: a second fence behind `feeds.jpeg.check_jpeg`
# against pictures whose header announces gigabytes.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(4096 * 4096))
