"""PostgreSQL: one server, a database and a role a service. It refuses root: then it runs as `postgres`."""

import getpass
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from local.errors import MissingPackage, StepFailed
from local.layout import HOST, Layout
from local.readiness import Tick, wait
from local.secrets import Secrets
from local.supervisor import Program

SERVICES = ("users", "orders")
OLDEST = 15
_OWNER = "postgres"


class Postgres:
    """The services' databases."""

    title = "PostgreSQL"

    def __init__(self, layout: Layout, *, may_create: bool = False) -> None:
        """`may_create`: the roles may create databases, as a test runner does for each of its processes."""
        self._layout = layout
        self._create_right = sql.SQL("CREATEDB" if may_create else "NOCREATEDB")
        self._secrets = Secrets(layout)
        self._folder = layout.folder("postgres")
        self._data = self._folder / "data"
        self._user = _OWNER if os.getuid() == 0 else None

    @property
    def address(self) -> str:
        """Where it listens; a socket in its own folder besides."""
        return f"{HOST}:{self._layout.ports.postgres}"

    @property
    def ports(self) -> Sequence[int]:
        """One."""
        return (self._layout.ports.postgres,)

    @property
    def programs(self) -> Sequence[Program]:
        """The postmaster; SIGINT is its "fast" stop, which does not wait for clients."""
        settings = {
            "listen_addresses": HOST,
            "port": str(self._layout.ports.postgres),
            "unix_socket_directories": str(self._folder),
            "max_connections": "100",
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            # No statement with its values, nor the value that was taken: hashes of passwords, addresses.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [
            Program(
                name="postgres",
                command=[str(self._binaries() / "postgres"), "-D", str(self._data), *options],
                directory=self._folder,
                user=self._user,
                stop_signal="INT",
            )
        ]

    def require(self) -> None:
        """The server's programs, and as root the user `postgres`."""
        self._binaries()
        if self._user:
            _account(self._user)

    def prepare(self) -> None:
        """The cluster's files, the first time. An interrupted initdb leaves none: it works on a draft."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        if self._user:
            account = _account(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        if self._data.exists():
            return
        draft = self._folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        self._initdb(draft)
        # No password opens the superuser: only this machine's owner of the files, and whoever started us.
        names = {getpass.getuser(), self._user or getpass.getuser()}
        maps = "".join(f"owner {name} {_OWNER}\n" for name in sorted(names))
        (draft / "pg_ident.conf").write_text(maps)
        (draft / "pg_hba.conf").write_text(
            f"local all {_OWNER} peer map=owner\nhost all users,orders {HOST}/32 scram-sha-256\n"
        )
        draft.rename(self._data)

    def settle(self, tick: Tick) -> None:
        """Roles and databases are there, and each password is that of its file."""
        wait(self.title, self._reason, tick)
        with self._connect() as connection:
            for service in SERVICES:
                self._create(connection, service)

    def _reason(self) -> str | None:
        try:
            self._connect().close()
        except psycopg.OperationalError as fault:
            return str(fault).strip().splitlines()[-1]
        return None

    def _connect(self) -> "psycopg.Connection":
        return psycopg.connect(
            host=str(self._folder),
            port=self._layout.ports.postgres,
            user=_OWNER,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _create(self, connection: "psycopg.Connection", service: str) -> None:
        name = sql.Identifier(service)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [service]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        password = self._secrets.database_password(service).read_bytes()
        # Hashed here, so that the password itself reaches neither the server nor its log.
        hashed = connection.pgconn.encrypt_password(password, service.encode(), b"scram-sha-256").decode()
        connection.execute(
            sql.SQL("ALTER ROLE {} {} PASSWORD {}").format(name, self._create_right, sql.Literal(hashed))
        )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [service]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))

    def _initdb(self, draft: Path) -> None:
        command = [
            str(self._binaries() / "initdb"),
            *("--pgdata", str(draft), "--username", _OWNER, "--encoding", "UTF8", "--locale", "C.UTF-8"),
            *("--auth-local", "peer", "--auth-host", "scram-sha-256", "--no-instructions"),
        ]
        account = _account(self._user) if self._user else None
        made = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self._folder,
            env=self._layout.environment(),
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
        if made.returncode:
            raise StepFailed(
                "initdb failed.",
                "Run `make reset`, then try again.",
                evidence=(made.stdout + made.stderr).splitlines()[-10:],
            )

    def _binaries(self) -> Path:
        """Of the version that made the data, else of the newest."""
        installed = sorted(
            (int(path.parent.parent.name), path.parent)
            for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
            if path.parent.parent.name.isdigit()
        )
        made_by = self._data / "PG_VERSION"
        wanted = int(made_by.read_text()) if made_by.exists() else None
        fits = [path for number, path in installed if (number == wanted if wanted else number >= OLDEST)]
        if fits:
            return fits[-1]
        if wanted and installed:
            raise MissingPackage(
                f"The data was made by PostgreSQL {wanted}, which is not installed any more.",
                f"`apt install postgresql-{wanted}` keeps it; `make reset` deletes it.",
            )
        raise MissingPackage(
            f"PostgreSQL {OLDEST} or newer is missing (Debian package postgresql).",
            "Run `local/install.sh`, or `apt install --no-install-recommends postgresql`.",
        )


def _account(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError as fault:
        raise MissingPackage(
            f"The system user {name} is missing (it comes with Debian's package postgresql).",
            "Run `local/install.sh`.",
        ) from fault
