"""A port of this machine that leads to a private database: through Systems Manager, or through an SSH bastion.

Terminology:

link
    What carries the bytes: a session of Systems Manager, or an ``ssh``. It dies, and another takes its place.
stream
    One connection of a client, within the link.
local port
    Where clients connect. It stays the same as long as the tunnel lives, whatever becomes of links.
"""
