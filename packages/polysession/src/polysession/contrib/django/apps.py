from django.apps import AppConfig


class PolysessionConfig(AppConfig):
    """Brings the system checks, and the admin's templates and style."""

    name = "polysession.contrib.django"
    label = "polysession"
    verbose_name: str = "Sessions"  # pyright: ignore[reportIncompatibleVariableOverride]

    def ready(self) -> None:
        from .checks import register

        register()
