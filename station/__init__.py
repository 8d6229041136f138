"""The charging station's software; see docs/architecture.md for the rooms and which way imports run."""

__version__ = "0.1.0"
