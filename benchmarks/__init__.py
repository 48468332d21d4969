"""Accuracy and speed of tap, measured against the truth of made-up shoots."""
