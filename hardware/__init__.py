"""The room of the board: what a board is, its register map, drivers, the poll thread, and a simulated board."""
