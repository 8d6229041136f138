from django.apps import AppConfig


class WebuiConfig(AppConfig):
    name = "webui"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from webui.hardware_page.logout import end_maintenance

        user_logged_out.connect(end_maintenance, dispatch_uid="maintenance")
