"""One call of ``taxiway tunnel``: where it leads, by which way, and what it shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from taxiway.cli.output import print_aside, print_json, print_result
from taxiway.errors import MissingOption
from taxiway.model.tunnel import DatabaseServer, Destination, TunnelEvent, TunnelOpened, TunnelSettings
from taxiway.reports.tunnel import (
    VARIABLES,
    connection_parameters,
    render_beginning,
    render_event,
    render_psql,
    tunnel_json,
)
from taxiway.secret import reveal

if TYPE_CHECKING:
    from taxiway.aws.rds_endpoints import RdsEndpoints
    from taxiway.aws.secrets import SecretsManager
    from taxiway.aws.session import Place
    from taxiway.cli.invocation import Invocation
    from taxiway.tunnel.link import Link

type _Events = Callable[[TunnelEvent], None]
type _MakeLink = Callable[[_Events], "Link"]


@dataclass
class TunnelSession:
    """What a call works with. AWS is asked when something of it is needed."""

    invocation: "Invocation"
    settings: TunnelSettings
    program: Sequence[str] = ()

    def run(self) -> int:
        """Open it, and keep it until the end; as :meth:`taxiway.tunnel.run.TunnelRun.run`."""
        from taxiway.tunnel.run import Program, TunnelRun

        self._take_outputs()
        way, make_link = self._ssh() if self._is_ssh else self._ssm()
        login = self._login() if self.program else {}
        if not self.invocation.quiet:
            print_aside(render_beginning(self.destination, way))
        program = Program(self.program, lambda port: self._environment(port) | login) if self.program else None
        running = TunnelRun(
            link=lambda: make_link(self._show),
            destination=f"{self.destination.host}:{self.destination.port}",
            on_event=lambda event: self._show_with(event, way),
            port=self.settings.port,
            program=program,
        )
        return running.run()

    # --- where to ---

    def _take_outputs(self) -> None:
        if self.settings.stack is None:
            return
        from taxiway.aws.cloudformation import CloudFormation
        from taxiway.ops.choose_endpoint import with_outputs

        self.settings = with_outputs(self.settings, CloudFormation(self._place))

    @cached_property
    def destination(self) -> Destination:
        """Where it leads. Raises ``TaxiwayError``."""
        from taxiway.aws.rds_endpoints import RdsEndpoints
        from taxiway.ops.choose_endpoint import choose_endpoint

        return choose_endpoint(self.settings, _Lazily(lambda: RdsEndpoints(self._place)))

    @property
    def _is_ssh(self) -> bool:
        return self.settings.via == "ssh" or (self.settings.via is None and self.settings.bastion is not None)

    def _ssm(self) -> tuple[str, _MakeLink]:
        """Through an instance that Systems Manager knows."""
        from taxiway.aws.ec2 import Ec2
        from taxiway.aws.ssm import SsmSessions

        wanted = self.settings.target
        if wanted is None:
            raise MissingOption(
                "It is not said which instance the tunnel goes through.",
                hint="Set target in [tunnel] of taxiway.toml, or give --target; or --bastion, for SSH.",
            )
        destination = self.destination
        target = wanted if wanted.startswith(("i-", "mi-", "ecs:")) else Ec2(self._place).find_instance(wanted)
        words = f"Instance {target}" + (f" ({wanted})" if wanted != target else "")
        sessions = SsmSessions(self._place, target, words, destination.host, destination.port)

        def make(on_event: _Events) -> "Link":
            from taxiway.tunnel.ssm import SsmLink

            return SsmLink(sessions, destination=f"{destination.host}:{destination.port}", on_event=on_event)

        return f"through {words[0].lower()}{words[1:]} with Systems Manager", make

    def _ssh(self) -> tuple[str, _MakeLink]:
        """Through a bastion."""
        from taxiway.tunnel.ssh import SshAccess, SshLink, parse_bastion, parse_host_key

        if self.settings.bastion is None:
            raise MissingOption(
                "It is not said which bastion the tunnel goes through.",
                hint="Set bastion in [tunnel] of taxiway.toml, or give --bastion USER@HOST.",
            )
        bastion = parse_bastion(self.settings.bastion)
        host_keys = tuple(parse_host_key(key) for key in self.settings.host_keys)
        destination = self.destination
        key = None
        if self.settings.key_secret is not None:
            from taxiway.sources.private_key import normalise_private_key

            text = self._secrets.text(self.settings.key_secret)
            key = normalise_private_key(text, name=f"private key in secret '{self.settings.key_secret}'")
        access = SshAccess(bastion=bastion, key=key, host_keys=host_keys)
        return f"through {bastion.words} with SSH", lambda _: SshLink(
            access, host=destination.host, port=destination.port
        )

    # --- as whom ---

    def _login(self) -> dict[str, str]:
        """User and password of the secret, for the program alone: a child's variables are its own."""
        secret = self.settings.login_secret
        if secret is None:
            return {}
        names = {"PGUSER": "username", "PGPASSWORD": "password"}
        login = {variable: reveal(self._secrets.get(secret, key)) for variable, key in names.items()}
        return login | ({"PGUSER": self.settings.user} if self.settings.user else {})

    @cached_property
    def _secrets(self) -> "SecretsManager":
        from taxiway.aws.errors import OPERATOR
        from taxiway.aws.secrets import SecretsManager

        return SecretsManager(
            self.settings.region,
            on_secret=self.invocation.redactor.add,
            profile=self.settings.profile,
            identity=OPERATOR,
        )

    @property
    def _place(self) -> "Place":
        from taxiway.aws.session import Place

        return Place(self.settings.region, self.settings.profile)

    # --- what is shown ---

    def _parameters(self, port: int) -> dict[str, str]:
        import os

        from taxiway.postgres.certificates import RDS_CA_BUNDLE

        return connection_parameters(
            self.destination,
            port,
            database=self.settings.database or os.environ.get("PGDATABASE") or self.destination.database,
            user=self.settings.user or os.environ.get("PGUSER") or self.destination.user,
            sslrootcert=self.settings.sslrootcert or str(RDS_CA_BUNDLE),
        )

    def _environment(self, port: int) -> dict[str, str]:
        return {VARIABLES[name]: value for name, value in self._parameters(port).items()}

    def _show(self, event: TunnelEvent) -> None:
        if not (self.invocation.quiet and isinstance(event, TunnelOpened)):
            print_aside(render_event(event))

    def _show_with(self, event: TunnelEvent, way: str) -> None:
        self._show(event)
        if not isinstance(event, TunnelOpened) or self.program:
            return
        parameters = self._parameters(event.port)
        if self.invocation.json:
            print_json(tunnel_json(self.destination, way, parameters))
        else:
            print_result(render_psql(parameters))
            if not self.invocation.quiet:
                print_aside("Ctrl-C ends it.")


@dataclass(frozen=True, slots=True)
class _Lazily:
    """RDS, which is not asked where an endpoint is named, and not even loaded."""

    make: "Callable[[], RdsEndpoints]"

    def get_server(self, name: str) -> DatabaseServer:
        """As :class:`taxiway.ops.seams.DatabaseServers` has it."""
        return self.make().get_server(name)
