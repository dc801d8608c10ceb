"""``taxiway tunnel``: a port of this machine that leads to the private database."""

import signal

import click

from taxiway import exit_codes
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_aside
from taxiway.cli.tunnel_options import read_settings, tunnel_options
from taxiway.cli.tunnel_session import TunnelSession


@click.command()
@tunnel_options
@click.argument("program", nargs=-1, metavar="[-- PROGRAM [ARGUMENT...]]")
@click.pass_obj
def tunnel(invocation: Invocation, /, *, program: tuple[str, ...], **options: object) -> int:
    """Open a port of this machine that leads to the private database.

    It leads to the writer of the cluster, unless --reader or --endpoint say otherwise, and goes through an
    instance with Systems Manager, which needs no open port, or through a bastion with SSH. It prints a line for
    psql, which checks the server's name through the tunnel, and stays until Ctrl-C. A connection that dies is made
    again.

    With a PROGRAM, such as '-- psql', the tunnel is there as long as the program runs, and the call ends with
    its exit code. libpq's variables (PGHOST, PGHOSTADDR, PGPORT, …) tell the program where to connect.
    """
    ended = TunnelSession(invocation, read_settings(options), program).run()
    if ended >= 0:
        return ended
    if not invocation.quiet:
        print_aside("The tunnel is closed.")
    return exit_codes.INTERRUPTED if ended == -signal.SIGINT else exit_codes.TERMINATED
