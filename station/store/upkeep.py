"""What rooms beyond this one have to do from time to time: trim what grows, add up what was."""

from django.dispatch import Signal

# Sent by the transfer worker's housekeeping, some minutes after the start and every few hours. A receiver works in
# small bites, so that the uplink's commits wait for milliseconds only; what it raises is logged.
due = Signal()
