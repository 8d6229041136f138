"""A simulated board: Modbus TCP in front, electronics and EV physics behind, a bench for hands (docs/hardware.md)."""
