"""Functional block N, Diagnostics: logs (N01), and what is known about a customer (N09, N10)."""

from station.ocpp.blocks.n_diagnostics.customers import Customers
from station.ocpp.blocks.n_diagnostics.logs import Logs

__all__ = ["Customers", "Logs"]
