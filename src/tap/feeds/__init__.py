"""Where pictures come from: MJPEG over HTTP, WebRTC, media files, recorded shoots."""

import os

# OpenCV reads this once, when it is loaded: a second fence behind `jpeg.check_jpeg` against
# pictures whose header announces gigabytes.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(4096 * 4096))
