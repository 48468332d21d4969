"""`tap demo`: a shoot over real sockets, tap beside it, and the director's three mistakes."""
