"""Names on the channel layer: who listens where, and the type of each message.

    hardware worker --BOARD_SNAPSHOT--> UPLINK        {"type", "snapshot": domain.wire.pack_snapshot}
    uplink          --BOARD_SETPOINT--> HARDWARE      {"type", "setpoint": domain.wire.pack_setpoint}
    web server      --COMMAND_FILED---> UPLINK        {"type", "command_id": int}        a nudge; the row says what
    web, automation --LIMIT_WANTED----> UPLINK        {"type", "limit": domain.wire.pack_limit}  is repeated, or lapses
    web server      --HELLO-----------> UPLINK        {"type"}                            asks for a publication now
    transfer worker --TRANSFER_REPORT-> UPLINK        {"type", "report": domain.wire.pack_report}
    uplink          --LIVE_STATION----> group WATCHERS {"type", "station": dict}           see live.payloads
    web server      --BOARD_WATCH-----> HARDWARE      {"type"}                            somebody looks at registers
    hardware worker --BOARD_REGISTERS-> group ENGINEERS {"type", "board": dict}            while somebody does

Nothing here is queued: Redis may lose all of it, and the next message repairs it.
"""

UPLINK = "uplink"  # channel
HARDWARE = "hardware"  # channel
WATCHERS = "watchers"  # group
ENGINEERS = "engineers"  # group: those who look at the registers

BOARD_SNAPSHOT = "board.snapshot"
BOARD_SETPOINT = "board.setpoint"
COMMAND_FILED = "command.filed"
LIMIT_WANTED = "limit.wanted"
HELLO = "live.hello"
TRANSFER_REPORT = "transfer.report"
LIVE_STATION = "live.station"
BOARD_WATCH = "board.watch"
BOARD_REGISTERS = "board.registers"
WATCH = 10.0  # s that one BOARD_WATCH lasts
