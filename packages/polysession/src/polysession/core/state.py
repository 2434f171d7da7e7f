"""What one request knows of its session (mutable, one thread), and what every request shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from . import timeouts
from .attributes import Attributes
from .clock import Clock
from .cookie import Cookie
from .events import Events
from .ledger import Ledger, Restorer
from .record import Address, Attribute, Device, EndReason, Header, Record
from .rotation import Standing
from .settings import SessionSettings
from .store import Offer, Rotation, Store
from .timeouts import Wish
from .token import Keys, Token


def silent(_: str) -> None:
    """Of a process without a log."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that is passed in: store, keys, settings, time, randomness, listeners."""

    store: Store
    keys: Keys
    settings: SessionSettings
    clock: Clock
    random: Callable[[int], bytes]
    events: Events
    ledger: Ledger | None = None
    restorer: Restorer | None = None
    warn: Callable[[str], None] = silent
    unreturned: int = field(init=False)  # milliseconds

    def __post_init__(self) -> None:
        object.__setattr__(self, "unreturned", self.settings.anonymous_unreturned * 1000)


@dataclass(frozen=True, slots=True)
class Creation:
    """A record that is to be created. Kept until the store has answered, so that a repeated try is the same one."""

    address: Address
    secret: str
    record: Record


@dataclass(slots=True)
class SignIn:
    """A sign-in under way, step by step: a repeated commit goes on where the store gave no answer."""

    principal: str
    generation: int
    carry: bool  # the old attributes come along
    old: Header | None = None  # of the live session that it replaces
    old_token: Token | None = None
    old_attributes: dict[str, Attribute] = field(default_factory=dict)  # as read
    creation: Creation | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class RotationTry:
    secret: str
    rotation: Rotation


class State:
    """What is as nearly always stays in the class: a dataclass would set thirty fields a request."""

    loaded: bool = False
    accessed: bool = False
    unknown: bool = False  # optional, and the store gave no answer: empty and read-only
    header: Header | None = None  # the live record's
    end_reason: EndReason | None = None
    successor: str = ""  # the session ID of what a sign-in put in place of the cookie's session
    # A late use of a token that was replaced a moment ago: refused without alarm, and the cookie, which may be the
    # newer one by now, is neither set nor cleared.
    late: bool = False
    created: bool = False  # by this request
    ended: bool = False  # by this request
    end_confirmed: bool = True  # of an end by this request
    creation: Creation | None = None
    sign_in: SignIn | None = None
    rotate: bool = False
    reauthenticated: bool = False  # the rotation says so in the record
    wish: Wish | None = None  # other timeouts, asked for by this request
    cookie_due: bool = False  # its lifetime changed
    rotation: RotationTry | None = None
    standing: Standing = Standing.CURRENT  # of the token, to the record that it opened
    offer: Offer | None = None  # of the successor by age: the same one when the store is asked again
    offered: bool = False  # the cookie is the successor's; the token still opens the session
    cookie: Cookie | None = None

    def __init__(
        self,
        token: Token | None,
        attributes: Attributes,
        *,
        passive: bool = False,
        device: Device | None = None,
        forged: bool = False,
        predecessor: Callable[[Context, State], None] | None = None,
    ) -> None:
        """``predecessor``: looks for an old session (`migration`), without a token."""
        self.token: Token | None = token
        self.attributes: Attributes = attributes
        self.passive: bool = passive
        self.device: Device | None = device
        self.forged: bool = forged
        self.predecessor: Callable[[Context, State], None] | None = predecessor

    def adopt(self, token: Token, header: Header) -> None:
        """A live session stands behind this request from now on."""
        self.token, self.header = token, header
        self.loaded = self.created = True
        self.late = self.forged = self.ended = False
        self.end_reason = None
        self.creation = self.sign_in = self.wish = None
        self.cookie_due = self.offered = False
        self.standing = Standing.CURRENT

    def lose(self, reason: EndReason | None) -> None:
        """No live session stands behind it any more; what was to be written is dropped."""
        self.header = None
        self.end_reason = reason
        self.attributes = self.attributes.renewed({})
        self.creation = self.sign_in = self.rotation = None
        self.rotate = self.reauthenticated = False
        if self.offered:
            self.cookie = None  # of a successor that opens nothing now

    def touch_due(self, context: Context) -> bool:
        if self.header is None or self.passive or self.created:
            return False
        now = context.store.now()
        return timeouts.touch_due(self.header, now, fraction=context.settings.touch_fraction)
