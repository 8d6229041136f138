"""Functional block C, Authorization: who may charge, and on whose word."""

from station.ocpp.blocks.c_authorization.authorization import AuthorizationBlock

__all__ = ["AuthorizationBlock"]
