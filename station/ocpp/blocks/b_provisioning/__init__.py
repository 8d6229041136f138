"""Functional block B, Provisioning: boot, reset, variables and reports."""
