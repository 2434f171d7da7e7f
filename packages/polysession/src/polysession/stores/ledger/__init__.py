"""The ledger in SQL, over any DB-API connection that is passed in; never commits: whose transaction it is, decides.

Placeholders are ``%s`` (DB-API's ``format``: psycopg, and every connection of Django's). Runs on PostgreSQL and, for
tests, SQLite. The tables come with ``polysession.contrib.django.ledger``, or from ``SCHEMA``.
"""

from .row import Row, row_of
from .schema import SCHEMA
from .table import (
    Connection,
    confirm,
    end,
    end_principal,
    exchange,
    find,
    give_lease,
    insert,
    of_principal,
    purge,
    recent,
    retime,
    rotate,
    see,
    take_lease,
    unconfirmed,
    unseen,
)

__all__ = [
    "SCHEMA",
    "Connection",
    "Row",
    "confirm",
    "end",
    "end_principal",
    "exchange",
    "find",
    "give_lease",
    "insert",
    "of_principal",
    "purge",
    "recent",
    "retime",
    "rotate",
    "row_of",
    "see",
    "take_lease",
    "unconfirmed",
    "unseen",
]
