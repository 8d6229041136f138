"""What a charging station is, in plain Python: no Django, no sockets, no clock of its own."""
