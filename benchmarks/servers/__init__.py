"""The servers that are measured, one program each: `PORT CONTROL_PORT`, and what a server needs besides.

Each line `<room> <seq>` on the control port is one event of that room. Rooms are numbers.
"""
