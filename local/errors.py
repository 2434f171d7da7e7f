"""What can go wrong on one machine. Each error says what happened and what to do about it.

LocalError
├── PortTaken          another process listens where a part wants to
├── MissingPackage     a program or a built file is not there
├── DeadPart           a part ended while it was waited for
├── NotReady           a part runs but did not get ready in time
├── StepFailed         a command that prepares a part failed
├── NotRunning         the platform was asked something that only a running one can answer
└── Busy               another `up`, `down` or `reset` of this checkout is at work
"""

from collections.abc import Sequence


class LocalError(Exception):
    """Something that the person at the terminal can act on.

    `what` is one sentence; `todo` says what to do; `evidence` are log lines or the like.
    """

    def __init__(self, what: str, todo: str, *, evidence: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo
        self.evidence = tuple(evidence)

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"    {line}" for line in self.evidence), self.todo])


class PortTaken(LocalError):
    """Another process listens on a port of ours."""


class MissingPackage(LocalError):
    """A program, package or built file is missing."""


class DeadPart(LocalError):
    """A part ended by itself; the evidence is the end of its log."""


class NotReady(LocalError):
    """A part did not get ready in time; the evidence is what it answered last."""


class StepFailed(LocalError):
    """A command that prepares a part failed; the evidence is the end of its output."""


class NotRunning(LocalError):
    """The platform does not run."""


class Busy(LocalError):
    """Another command holds the lock of this checkout's state."""
