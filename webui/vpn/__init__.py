"""A WireGuard client of the station's own, so that a remote administrator needs no port opened."""
