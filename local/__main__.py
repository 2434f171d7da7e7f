"""`python -m local up|down|reset|status|logs|demo`: what the Makefile calls."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from local import layout as layouts
from local.errors import LocalError, NotRunning
from local.layout import Layout
from local.parts.services import Users
from local.platform import PartState, Platform, Stages
from local.progress import Stopwatch, Terminal

ROOT = Path(__file__).resolve().parent.parent
INTERRUPTED = 130


def main(arguments: Sequence[str], *, layout: Layout | None = None, stages: Stages | None = None) -> int:
    """Run one command; the exit code is 0, or 1 with an error that says what to do."""
    options = _parser().parse_args(arguments)
    terminal = Terminal(sys.stdout)
    platform = Platform(layout or layouts.of_checkout(ROOT), stages=stages, progress=terminal)
    # `kill` and a closed terminal end a start as Ctrl-C does: with everything stopped.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)
    try:
        run: Callable[[argparse.Namespace, Platform, Terminal], int] = options.run
        return run(options, platform, terminal)
    except LocalError as error:
        terminal.failed(error)
        return 1
    except KeyboardInterrupt:
        terminal.note("\n  Interrupted.")
        return INTERRUPTED


def up(options: argparse.Namespace, platform: Platform, terminal: Terminal) -> int:
    """Start what does not run, wait until it is ready, say where to look."""
    del options
    watch = Stopwatch()
    terminal.note(f"\n{terminal.paint('Polysession on one machine', '1')}\n")
    platform.start()
    layout, ports = platform.layout, platform.layout.ports
    places = {
        "Shop": f"{layout.public_url}/",
        "Admin": f"{layout.public_url}/api/users/admin/",
        "Traces": f"{layout.url(ports.traces)}/",
        "Metrics": f"{layout.url(ports.prometheus)}/",
        "State": str(layout.state),
    }
    terminal.note(f"\n  Ready in {watch.seconds:.1f} s. Where to look:\n")
    for name, place in places.items():
        terminal.note(f"    {name:<9} {terminal.paint(place, '36')}")
    terminal.note("\n  Next: make demo · make status · make logs · make down\n")
    return 0


def down(options: argparse.Namespace, platform: Platform, terminal: Terminal) -> int:
    """Stop it; the data stays."""
    del options
    watch = Stopwatch()
    platform.stop()
    terminal.done("stopped", "the data stays", watch.seconds)
    return 0


def reset(options: argparse.Namespace, platform: Platform, terminal: Terminal) -> int:
    """Stop it and delete its data and secrets."""
    down(options, platform, terminal)
    state = platform.layout.state
    if state.exists():
        shutil.rmtree(state)
    terminal.note(f"  Deleted {state}")
    return 0


def status(options: argparse.Namespace, platform: Platform, terminal: Terminal) -> int:
    """A line a program; 1 when one of them does not run."""
    del options
    states = platform.states()
    shown = None
    for row in states:
        terminal.note(_status_line(terminal, row, repeated=row.title == shown))
        shown = row.title
    dead = [row.program for row in states if not row.alive]
    if dead:
        terminal.note(f"\n  Not running: {', '.join(dead)}. `make logs` says why, `make up` starts them.")
    return 1 if dead else 0


def _status_line(terminal: Terminal, row: PartState, *, repeated: bool) -> str:
    mark = terminal.paint("✓", "32") if row.alive else terminal.paint("✗", "31;1")
    title, address = ("", "") if repeated else (row.title, row.address)
    life = f"PID {row.pid:<8} {_duration(row.seconds)}" if row.alive else row.state
    return f"  {mark} {row.program:<11} {title:<16} {address:<22} {life}"


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


def logs(options: argparse.Namespace, platform: Platform, terminal: Terminal) -> int:
    """The end of every log, or of one; `--follow` goes on. Handed over to tail(1)."""
    del terminal
    layout = platform.layout
    files = sorted(layout.logs.glob(f"{options.part or '*'}.log"))
    if not files:
        known = ", ".join(sorted(path.stem for path in layout.logs.glob("*.log"))) or "none yet"
        raise NotRunning(f"There is no log of {options.part or 'anything'}.", f"There are logs of: {known}.")
    follow = ["--follow=name", "--retry"] if options.follow else []
    command = ["tail", "-n", str(options.lines), *follow, *(str(path) for path in files)]
    os.execvp(command[0], command)


def demo(options: argparse.Namespace, platform: Platform, terminal: Terminal) -> int:
    """The story, told through the edge."""
    from local.demo import tell  # only this command needs httpx

    platform.states()  # says so when it does not run
    return tell(platform.layout, terminal, rounds=options.repeat)


def manage(options: argparse.Namespace, platform: Platform, terminal: Terminal) -> int:
    """Django's own commands with the settings of the running users service: `manage createsuperuser`."""
    del terminal
    platform.states()  # says so when it does not run
    layout = platform.layout
    environment = {**layout.environment(), **Users(layout).environment, "OTEL_EXPORTER_OTLP_ENDPOINT": ""}
    os.chdir(layout.root / "services" / "django-users")
    os.execve(layout.python, [str(layout.python), "manage.py", *options.command], environment)


def _count(text: str) -> int:
    """For argparse: a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="The platform on one machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run in (up, down, reset, status):
        commands.add_parser(run.__name__, help=run.__doc__).set_defaults(run=run)
    command = commands.add_parser("logs", help=logs.__doc__)
    command.add_argument("part", nargs="?", help="a name that `status` shows; all without it")
    command.add_argument("-f", "--follow", action="store_true")
    command.add_argument("-n", "--lines", type=int, default=20)
    command.set_defaults(run=logs)
    command = commands.add_parser("manage", help=manage.__doc__)
    command.add_argument("command", nargs=argparse.REMAINDER)
    command.set_defaults(run=manage)
    command = commands.add_parser("demo", help=demo.__doc__)
    command.add_argument("--repeat", type=_count, default=1, metavar="N", help="go on N times")
    command.set_defaults(run=demo)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
