"""The supervisor: one process that starts, watches and restarts all others of the appliance.

It loads what its children need, freezes it and forks, so that they share that memory. It runs no thread, no event
loop and no database connection of its own: what it forks must find nothing half done.
"""
