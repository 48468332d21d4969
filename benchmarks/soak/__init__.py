"""tap beside an endless, mixed shoot whose feeds are killed, frozen and lost all the time."""
