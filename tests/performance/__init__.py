"""The station's numbers, measured on loopback with the whole appliance; not asserted. See ``__main__``."""
