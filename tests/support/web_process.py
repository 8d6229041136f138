"""The station's web server alone, as the supervisor runs it, with somebody of each role logged in already.

``python -m tests.support.web_process`` with the appliance's environment; prints the session cookies as JSON, then
serves until SIGTERM.
"""

from __future__ import annotations

import json

import django


def main() -> int:
    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from station.project import web_server
    from station.project.supervisor.startup import listen
    from webui.accounts.roles import Role, give

    call_command("migrate", verbosity=0)
    cookies = {}
    for role in Role:
        user = User(username=role.word)
        user.set_unusable_password()
        give(user, role)
        user.save()
        client = Client()
        client.force_login(user)
        cookies[role.word] = client.cookies[settings.SESSION_COOKIE_NAME].value
    connection.close()
    print(json.dumps({"name": settings.SESSION_COOKIE_NAME, "csrf": settings.CSRF_COOKIE_NAME, **cookies}), flush=True)
    environment = settings.ENVIRONMENT
    tls = listen("STATION_WEB_TLS", environment.web_tls) if environment.web_tls else None
    return web_server.run(listen("STATION_WEB", environment.web), tls)


if __name__ == "__main__":
    raise SystemExit(main())
