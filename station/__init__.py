"""The charging station's software; see docs/architecture.md for the rooms and which way imports run."""
