"""What no request can tell: the rest of ASVS V7. The app's owner states it (``stated`` in its description), or is asked."""

from __future__ import annotations

from functools import partial

from ..check import ASVS, Check, Finding, needs, passed
from ..subject import Subject

_QUESTIONS = (
    (
        "ASVS-7.1.1",
        "7.1.1",
        "Idle and absolute timeout are documented, with reasons where they leave NIST SP 800-63B",
        "Write both down, and why.",
    ),
    (
        "ASVS-7.1.2",
        "7.1.2",
        "How many sessions an account may have, and what happens above it, is documented",
        "Set a limit, and write down what ends when it is reached.",
    ),
    (
        "ASVS-7.1.3",
        "7.1.3",
        "Systems that share sessions by single sign-on are documented",
        "Write down who creates and ends sessions, and in which order. Without single sign-on: say so.",
    ),
    (
        "ASVS-7.4.2",
        "7.4.2",
        "Disabling or deleting an account ends its sessions",
        "End all sessions in the transaction that disables the account.",
    ),
    (
        "ASVS-7.4.4",
        "7.4.4",
        "Every page that needs a sign-in shows a way to sign out",
        "Put it in the header.",
    ),
    (
        "ASVS-7.4.5",
        "7.4.5",
        "Administrators can end the sessions of one user, or of all",
        "Give them a command or a page (`polysession end`).",
    ),
    (
        "ASVS-7.5.1",
        "7.5.1",
        "Changing what sign-in or recovery rests on needs a full re-authentication",
        "Ask for the password before the email, the phone or a factor is changed.",
    ),
    (
        "ASVS-7.5.3",
        "7.5.3",
        "Highly sensitive operations ask for a factor again",
        "Compare the time of the last authentication (step-up).",
    ),
    (
        "ASVS-7.6.1",
        "7.6.1",
        "Lifetimes with an identity provider behave as documented",
        "Write them down and test them. Without an identity provider: say so.",
    ),
)


def _ask(number: str, subject: Subject) -> Finding:
    told = subject.app.stated.get(number)
    if told:
        return passed(f"stated, not checked: {told}")
    return needs(f'an answer: write under [stated] "{number}" = "where it is written"')


CHECKS = tuple(
    Check(id, title, ASVS.format(section), advice, partial(_ask, id))
    for id, section, title, advice in _QUESTIONS
)
