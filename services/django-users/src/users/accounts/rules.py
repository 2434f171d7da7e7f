"""What may happen to an account. Views and the admin call these; nothing else writes one.

Ending every session of an account takes two steps in this order: the generation is raised in PostgreSQL, in the
transaction of its cause, together with the ends in the ledger; then the sessions end in Redis. A sign-in that read
the older generation is refused from then on. When Redis gives no answer to the second step, ``StoreUnavailable`` is
raised and the first stands: the change is made, and ending the sessions is to be repeated, which the keeper does; the
next sign-in, which brings the new generation to Redis, does so too. Never the other way round: a generation that Redis
has and PostgreSQL rolled back would refuse every sign-in of the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from polysession.contrib.django import ending, get_manager

from users.accounts.models import Account

TAKEN = "This {} is taken. Choose another."
_CONSTRAINTS = {"account_username_unique": "username", "account_email_unique": "email"}


class Taken(Exception):
    """``errors`` by field name."""

    def __init__(self, fields: Iterable[str]) -> None:
        self.errors = {name: [TAKEN.format(name)] for name in fields}
        super().__init__(", ".join(self.errors))


class Refused(Exception):
    """``errors`` by field name."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class WrongPassword(Exception):
    """The current password is another."""


def sign_up(username: str, email: str, *, password: str) -> Account:
    """A new account. Raises ``Taken`` (also when another request took it meanwhile) and ``Refused``."""
    account = Account(username=username, email=email)
    _check_password(password, account, field="password")
    taken = [
        name
        for name, value in (("username", username), ("email", email))
        if Account.objects.filter(**{f"{name}__iexact": value}).exists()
    ]
    if taken:
        raise Taken(taken)
    account.set_password(password)  # outside of any transaction: it takes time
    return _save(account, force_insert=True)


def change_email(account: Account, email: str, *, current: str) -> Account:
    """``current``: the password, for who has the email may get the account (OWASP ASVS 5.0, 7.5.1). Raises
    ``WrongPassword``, ``Taken``.
    """
    if not check_password(current, account.password):
        raise WrongPassword
    account.email = email
    return _save(account, update_fields=["email"])


def change_password(account: Account, *, current: str, new: str, keep: str | None) -> Account:
    """A new password; every session but ``keep`` ends. Raises ``WrongPassword``, ``Refused``, ``StoreUnavailable``.

    Safe to repeat when the first answer was ``StoreUnavailable`` or lost: the new password is set already, and the
    sessions end now.
    """
    if not check_password(current, account.password):
        if not check_password(new, account.password):
            raise WrongPassword
        end_sessions(account, keep=keep)
        return account
    return replace_password(account, new, keep=keep, field="new")


def replace_password(account: Account, new: str, *, keep: str | None, field: str = "password") -> Account:
    """Without asking for the current one. Raises ``WrongPassword`` if another request changed it meanwhile."""
    _check_password(new, account, field=field)
    known = account.password
    account.set_password(new)
    with transaction.atomic():
        # The generation is raised by the database: no two changes get the same.
        changed = Account.objects.filter(pk=account.pk, password=known).update(
            password=account.password, session_generation=F("session_generation") + 1
        )
        if not changed:
            raise WrongPassword
        account.refresh_from_db(fields=["session_generation"])
        _record_end(str(account.pk), account.session_generation, keep=keep)
    _end(str(account.pk), account.session_generation, keep=keep)
    return account


def end_sessions(account: Account, *, keep: str | None) -> bool:
    """All of the account's sessions but ``keep``. ``True``: a replica of the store has it. Raises
    ``StoreUnavailable``: the ledger has it, but for ``LedgerUnavailable``; repeating it is safe.
    """
    return ending.end_sessions(account, keep=keep)


def delete(account: Account) -> None:
    """The account is gone, then its sessions. Raises ``StoreUnavailable``: its sessions then name nobody."""
    principal, generation = str(account.pk), account.session_generation + 1
    with transaction.atomic():
        account.delete()
        _record_end(principal, generation, keep=None)
    _end(principal, generation, keep=None)


def _record_end(principal: str, generation: int, *, keep: str | None) -> None:
    get_manager().record_end(principal, generation=generation, keep=keep)


def _end(principal: str, generation: int, *, keep: str | None) -> None:
    """Once the cause is committed, which is now unless the caller (the admin) has a transaction open."""

    def end() -> None:
        get_manager().end_principal(principal, generation=generation, keep=keep)

    transaction.on_commit(end)


def _check_password(password: str, account: Account, *, field: str) -> None:
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise Refused({field: list(error.messages)}) from error


def _save(account: Account, **how: object) -> Account:
    try:
        with transaction.atomic():
            account.save(**how)  # type: ignore[arg-type]
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name not in _CONSTRAINTS:
            raise
        raise Taken([_CONSTRAINTS[name]]) from error
    return account
