"""Forty far cameras over four `tap edge` processes and a real NATS server."""
