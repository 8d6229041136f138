"""Where the addresses of the web interface lead."""

from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from webui.accounts import views as door
from webui.bench import views as bench
from webui.commands import views as commands
from webui.conformance import views as conformance
from webui.dashboard.views import dashboard
from webui.device_model import views as device_model
from webui.keypad import views as keypad
from webui.lazily import lazily, lazily_async
from webui.logs import security
from webui.logs import views as logs
from webui.sessions import views as sessions

urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("login/", door.Login.as_view(), name="login"),
    path("login/code/", door.code, name="login-code"),
    path("login/password/", door.own_password, name="login-password"),
    path("login/second-step/", lazily("accounts.own.set_up_at_login"), name="login-second-step"),
    path("logout/", door.Logout.as_view(), name="logout"),
    path("account/", lazily("accounts.own.account"), name="account"),
    path("account/password/", lazily("accounts.own.change_password"), name="account-password"),
    path("account/language/", lazily("accounts.own.choose_language"), name="account-language"),
    path("account/second-step/", lazily("accounts.own.set_up"), name="account-second-step"),
    path("account/second-step/off/", lazily("accounts.own.switch_off"), name="account-second-step-off"),
    path("account/recovery-codes/", lazily("accounts.own.renew_codes"), name="account-recovery-codes"),
    path("account/logins/end/", lazily("accounts.own.end_other_sign_ins"), name="account-logins-end"),
    path("account/logins/<int:pk>/end/", lazily("accounts.own.end_sign_in"), name="account-login-end"),
    path("tokens/", lazily("accounts.own.own_tokens"), name="tokens"),
    path("tokens/<int:pk>/remove/", lazily("accounts.own.remove_token"), name="token-remove"),
    path("people/", lazily("accounts.people.people"), name="people"),
    path("people/add/", lazily("accounts.people.add"), name="people-add"),
    path("people/second-step/", lazily("accounts.people.require_second_step"), name="people-second-step"),
    path("people/<int:pk>/", lazily("accounts.people.person"), name="person"),
    path("people/<int:pk>/<slug:action>/", lazily("accounts.people.act"), name="person-act"),
    path("audit/", lazily("accounts.audit_log.audit_log"), name="audit"),
    path("audit/audit.csv", lazily("accounts.audit_log.as_csv"), name="audit-csv"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/<str:transaction_id>/", sessions.session, name="session"),
    path("logs/", logs.logs, name="logs"),
    path("logs/security/", security.security_log, name="security-log"),
    path("logs/security/clear/", security.clear, name="clear-security-log"),
    path("logs/customer/", logs.name_customer, name="name-customer"),
    path("logs/<slug:log>.gz", logs.download, name="log-download"),
    path("certificates/", lazily("certificates.certificates"), name="certificates"),
    path("certificates/root/", lazily_async("certificates.install_root"), name="certificate-root"),
    path("certificates/own/", lazily_async("certificates.install_own"), name="certificate-own"),
    path("certificates/renew/", lazily_async("certificates.renew"), name="certificate-renew"),
    path("certificates/request.csr", lazily("certificates.signing_request"), name="certificate-request"),
    path("certificates/<str:certificate_id>/delete/", lazily_async("certificates.delete"), name="certificate-delete"),
    path("firmware/", lazily("firmware.firmware"), name="firmware"),
    path("network/", lazily("network.network"), name="network"),
    path("network/order/", lazily_async("network.order"), name="network-order"),
    path("network/credentials/", lazily_async("network.credentials"), name="network-credentials"),
    path("network/take-back/", lazily_async("network.take_back"), name="network-take-back"),
    path("network/<int:number>/", lazily_async("network.slot"), name="network-slot"),
    path("network/check/", lazily_async("network.check_typed"), name="network-check-typed"),
    path("network/<int:number>/check/", lazily_async("network.check"), name="network-check"),
    path("network/<int:number>/remove/", lazily_async("network.remove"), name="network-remove"),
    path("device-model/", device_model.device_model, name="device-model"),
    path("device-model/<str:name>/", device_model.variable, name="variable"),
    path("device-model/<str:name>/set/", device_model.set_variable, name="set-variable"),
    path("api/", lazily("api.documentation"), name="api"),
    re_path(r"^api/v1/(?P<rest>[\s\S]*)$", csrf_exempt(lazily_async("api.machine")), name="api-v1"),
    path("metrics", lazily_async("metrics.metrics"), name="metrics"),
    path("neighbourhood/", lazily("neighbourhood.neighbourhood"), name="neighbourhood"),
    path("neighbourhood/check/", lazily_async("neighbourhood.check"), name="neighbourhood-check"),
    path("conformance/", conformance.conformance, name="conformance"),
    path("conformance/report.json", conformance.as_json, name="conformance-json"),
    path("evse/<int:evse_id>/<slug:action>/", commands.file_command, name="file-command"),
    path("master-pass/", commands.master_pass, name="master-pass"),
    path("settings/", lazily("owner.settings"), name="settings"),
    path("settings/time-zone/", lazily_async("owner.time_zone"), name="settings-time-zone"),
    path("settings/tariff/", lazily("tariff.tariff"), name="settings-tariff"),
    path("settings/tariff/<int:pk>/remove/", lazily("tariff.remove"), name="settings-tariff-remove"),
    path("keypad/", keypad.keypad, name="keypad"),
    path("keypad/enter/", keypad.enter, name="keypad-enter"),
    path("commands/<int:pk>/", commands.command, name="command"),
    path("bench/", bench.bench, name="bench"),
    path("bench/state/", bench.bench_state, name="bench-state"),
    path("bench/evse/<int:evse_id>/<slug:action>/", bench.bench_evse, name="bench-evse"),
    path("bench/<slug:action>/", bench.bench_board, name="bench-board"),
]
