"""Where pictures come from: MJPEG over HTTP, WebRTC, media files, recorded shoots."""
