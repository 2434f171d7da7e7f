"""The errors of the chassis. This module imports nothing.

Their names say what is wrong, without "Error".

ChassisError
├── InvalidSettings    the environment is not usable; the message lists every fault and holds no value
├── InvalidAssertion   a caller did not prove who it is; ``reason`` is for the log, not for the caller
└── InvalidKey         a key file of this service is not usable
"""


class ChassisError(Exception):
    """Any error of the chassis."""


class InvalidSettings(ChassisError):
    """The environment is not usable. ``faults`` are ``NAME: what to do``; none holds a value."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("The settings are not usable:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


class InvalidAssertion(ChassisError):
    """An assertion was refused. ``reason`` says why, for the log; a caller learns only that it was."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidKey(ChassisError):
    """A key file is missing, unreadable or not Ed25519."""
