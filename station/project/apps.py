from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Where everything is put together; brings the system checks of its settings."""

    name = "station.project"
    label = "project"

    def ready(self) -> None:
        from station.project import checks  # noqa: F401 - registers them
