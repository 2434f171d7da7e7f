from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "polysession.contrib.django.ledger"
    label = "polysession_ledger"
    verbose_name = "Session ledger"
    default_auto_field = "django.db.models.BigAutoField"
