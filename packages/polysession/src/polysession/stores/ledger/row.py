"""One row of the ledger: a signed-in session without its attributes and without personal data of its device."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.record import Address, EndReason, Header, Tail

SEEN_WITHIN = 3_600_000  # milliseconds: so old, or a quarter of the idle timeout, is what a row knows at most


def age_of_seen(idle: int) -> int:
    return min(idle // 4, SEEN_WITHIN)


@dataclass(frozen=True, slots=True)
class Row:
    """Times in milliseconds since the epoch, ``idle`` in milliseconds. ``confirmed``: the store's replicas need not
    be told again of the end; ``True`` while the session is live.
    """

    session_id: str
    partition: int
    principal: str
    principal_key: str
    secret_hash: bytes
    pepper_id: str
    previous_hash: bytes
    rotation_count: int
    generation: int
    created_at: int
    authenticated_at: int
    last_seen_at: int
    idle: int
    absolute_at: int
    ended_at: int | None = None
    end_reason: EndReason | None = None
    confirmed: bool = True
    keep: bool | None = None  # of the cookie; also ``None`` in rows of earlier releases
    exchanged_at: int | None = None  # it took an old session's place (``core.migration``)

    @property
    def address(self) -> Address:
        return Address(self.partition, self.session_id)

    def is_live(self, now: int) -> bool:
        """By what the ledger knows. Last seen is copied each quarter of the idle timeout, and each hour at least, so it
        may be older than the truth by that: the idle timeout may stretch by as much, once.
        """
        idle_until = self.last_seen_at + self.idle + age_of_seen(self.idle)
        return self.ended_at is None and now < idle_until and now < self.absolute_at

    def header(self, now: int) -> Header:
        """Of the record to restore. Last seen is never later than now."""
        return Header(
            secret_hash=self.secret_hash,
            pepper_id=self.pepper_id,
            created_at=self.created_at,
            last_seen_at=min(now, self.last_seen_at + age_of_seen(self.idle)),
            idle=self.idle,
            absolute_at=self.absolute_at,
            rotation_count=self.rotation_count,
            generation=self.generation,
            returned=True,
            principal_key=self.principal_key,
            previous_hash=self.previous_hash,
            tail=Tail(self.principal, authenticated_at=self.authenticated_at),
            keep=self.keep,
        )


def row_of(address: Address, header: Header) -> Row:
    """The row of a session that is about to be created. Raises ``ValueError`` for one without a principal."""
    if header.principal is None:
        raise ValueError("the ledger keeps signed-in sessions only")
    return Row(
        session_id=address.session_id,
        partition=address.partition,
        principal=header.principal,
        principal_key=header.principal_key,
        secret_hash=header.secret_hash,
        pepper_id=header.pepper_id,
        previous_hash=header.previous_hash,
        rotation_count=header.rotation_count,
        generation=header.generation,
        created_at=header.created_at,
        authenticated_at=header.authenticated_at,
        last_seen_at=header.last_seen_at,
        idle=header.idle,
        absolute_at=header.absolute_at,
        keep=header.keep,
    )
