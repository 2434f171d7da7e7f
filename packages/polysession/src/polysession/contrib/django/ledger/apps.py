from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Brings the ledger's tables, their migrations, and the keeper's command."""

    name = "polysession.contrib.django.ledger"
    label = "polysession_ledger"
    verbose_name: str = "Session ledger"  # pyright: ignore[reportIncompatibleVariableOverride]
