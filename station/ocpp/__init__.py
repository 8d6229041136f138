"""OCPP 2.0.1 as a charging station speaks it, without sockets: station, RPC, queue rules, functional blocks."""
