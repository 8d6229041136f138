"""Firmware on this machine: images, slots, installers. Knows no framework and no other room but ``domain``."""
