"""What users of the library test with: a clock that stands still, a manager over memory, the contract of stores.

``class TestMyStore(StoreContract)`` with a pytest fixture ``store`` runs every promise of ``core.store`` on it;
``pytest.register_assert_rewrite("polysession.testing.contract")`` before the import shows what differed.
"""

from __future__ import annotations

from .contract import StoreContract
from .doubles import (
    HOUR,
    START,
    FailingStore,
    FakeClock,
    RecordedEvents,
    make_address,
    make_attribute,
    make_keys,
    make_principal,
    make_record,
    memory_manager,
)

__all__ = [
    "HOUR",
    "START",
    "FailingStore",
    "FakeClock",
    "RecordedEvents",
    "StoreContract",
    "make_address",
    "make_attribute",
    "make_keys",
    "make_principal",
    "make_record",
    "memory_manager",
]
