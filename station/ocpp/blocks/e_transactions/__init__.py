"""Functional block E, Transactions: when one starts, goes on and ends, and how the CSMS is told."""

from station.ocpp.blocks.e_transactions.transactions import Transactions

__all__ = ["Transactions"]
