from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who may use the web interface, and what only it knows about them."""

    name = "webui.accounts"
    label = "accounts"
