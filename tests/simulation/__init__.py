"""A deterministic simulation: whole days of a charging station, its people, its CSMS and its mishaps, from one seed."""
