"""Where the addresses of the web interface lead."""

from django.urls import path

from webui.accounts.views import Login, Logout
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
    path("login/", Login.as_view(), name="login"),
    path("logout/", Logout.as_view(), name="logout"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/<str:transaction_id>/", sessions.session, name="session"),
    path("access/", lazily("access.access"), name="access"),
    path("access/change/", lazily("access.change"), name="access-change"),
    path("access/trials/", lazily("access.running"), name="access-trials"),
    path("access/trials/<slug:kind>/keep/", lazily("access.keep"), name="access-keep"),
    path("access/trials/<slug:kind>/take-back/", lazily("access.take_back"), name="access-take-back"),
    path("https/", lazily("https.https"), name="https"),
    path("https/upload/", lazily("https.upload"), name="https-upload"),
    path("https/local/", lazily("https.local"), name="https-local"),
    path("trust/", lazily("https.trust"), name="https-trust"),
    path("trust/root.crt", lazily("https.root_certificate"), name="https-root"),
    path("vpn/", lazily("vpn.vpn"), name="vpn"),
    path("vpn/now/", lazily("vpn.now"), name="vpn-now"),
    path("vpn/change/", lazily("vpn.change"), name="vpn-change"),
    path("vpn/import/", lazily("vpn.take_in"), name="vpn-import"),
    path("vpn/switch/", lazily("vpn.switch"), name="vpn-switch"),
    path("vpn/key/", lazily("vpn.new_key"), name="vpn-key"),
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
