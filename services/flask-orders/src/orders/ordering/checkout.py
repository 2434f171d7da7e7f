"""One checkout of a cart at a time: two tabs, each with an Idempotency-Key of its own, must not both order it."""

from __future__ import annotations

from polysession import Conflict, Session

ATTRIBUTE = "checkout"
LASTS_MS = 20_000  # longer than the edge waits for any answer; who died meanwhile holds nobody up for more


class CheckoutUnderWay(Exception):
    """Another request has this cart in hand, or had it after this one read it. Nothing was ordered."""


def begin_checkout(session: Session, key: str, *, now: int) -> None:
    """The cart as this request read it is this key's to order; the same key may begin again. ``now``: milliseconds.

    One write of the session, refused if anybody began since the cart was read. The attribute is never deleted: each
    beginning leaves a version of its own, so a request that read the cart before an earlier order of it is refused,
    too. Raises ``CheckoutUnderWay``, and what ``Session.commit`` raises.
    """
    session.set_policy(ATTRIBUTE, "raise")
    held = session.get(ATTRIBUTE)
    if held is not None and held["key"] != key and held["until"] > now:
        raise CheckoutUnderWay
    session[ATTRIBUTE] = {"key": key, "until": now + LASTS_MS}
    try:
        session.commit()
    except Conflict as cause:
        if session[ATTRIBUTE]["key"] != key:
            raise CheckoutUnderWay from cause


def end_checkout(session: Session, key: str) -> None:
    """At the next commit: whoever comes need not wait. Safe to repeat."""
    session.set_policy(ATTRIBUTE, "last_write")
    session[ATTRIBUTE] = {"key": key, "until": 0}
