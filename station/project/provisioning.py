"""Setting a station up without a browser: everything is checked first, then written as one.

What may be set over OCPP, too, goes through the device model, so that there is one place with limits. Certificates go
into the database; the private key of the station's own is a file under ``STATION_DATA/keys``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from station.device_model.components.communication import NETWORK_SLOTS
from station.device_model.installation import Unfit, set_up
from station.device_model.model import DeviceModel
from station.device_model.naming import Names, parse
from station.device_model.values import quoted
from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import LogSecurity, RemoveCertificate, SaveCertificate, SaveVariable, SetBy, Stored
from station.domain.network import flaw_of_url
from station.domain.pki import certificate_id, key_name
from station.project.environment import MAX_EVSES, Environment
from station.store import redaction, repositories
from station.store.models import NetworkProfile
from station.store.secrets import write_private

PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"
IDENTITY = "SecurityCtrlr.Identity"
PASSWORD = "SecurityCtrlr.BasicAuthPassword"  # noqa: S105 - a variable's name
PROFILE = "SecurityCtrlr.SecurityProfile"
TIMEOUT = "OCPPCommCtrlr.MessageTimeout[Default]"


class Refused(Exception):
    """An option that cannot be taken. The text names it and says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for; None and empty: not asked for."""

    identity: str | None = None
    csms_url: str | None = None
    security_profile: int | None = None
    password: str | None = None
    csms_root_certificate: Path | None = None
    manufacturer_root_certificate: Path | None = None
    station_certificate: Path | None = None
    station_key: Path | None = None
    admin_password: str | None = None
    slot: int = 1
    variables: tuple[str, ...] = ()  # NAME=VALUE


@dataclass(slots=True)
class Plan:
    """What is to be written, all of it checked. ``said`` is what a person is told, ``warnings`` what is odd."""

    effects: list[Stored] = field(default_factory=list)
    profiles: list[NetworkProfile] = field(default_factory=list)
    files: list[tuple[Path, bytes]] = field(default_factory=list)
    admin_password: str | None = None
    said: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def plan(wishes: Wishes, environment: Environment) -> Plan:
    """Check every wish against this station; writes nothing. Raises Refused."""
    return _Planner(wishes, environment).plan()


def carry_out(plan: Plan) -> None:
    """Write all of ``plan``, or, raising OSError or django.db.Error, nothing of it."""
    with transaction.atomic():
        repositories.commit([*map(_by_provision, plan.effects), *_for_the_security_log(plan)])
        for profile in plan.profiles:
            profile.save()
        if plan.admin_password is not None:
            _set_admin_password(plan.admin_password)
        # Last, as files know no rollback; each is written whole or not at all.
        for path, content in plan.files:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, content)


def _by_provision(effect: Stored) -> Stored:
    """For the history of the device model; what is as it was is not in it."""
    if not isinstance(effect, SaveVariable) or effect.old == effect.value:
        return effect
    return replace(effect, by=SetBy.PROVISION, at=timezone.now())


def _for_the_security_log(plan: Plan) -> list[LogSecurity]:
    """What was set up without the station, which does not run (A01.FR.11); ``said`` holds no secret (A01.FR.12)."""
    if not plan.said:
        return []
    said = (one.replace(" = (not shown)", "").replace(" (not shown)", "") for one in plan.said)
    text = f"by manage.py provision: {'; '.join(said)}"
    now = datetime.datetime.now(datetime.UTC)
    settings = [effect for effect in plan.effects if isinstance(effect, SaveVariable)]
    security = plan.profiles or plan.files or plan.admin_password is not None or len(settings) < len(plan.effects)
    security = security or any(effect.component == "SecurityCtrlr" for effect in settings)
    kind = "ReconfigurationOfSecurityParameters" if security else "ConfigurationChanged"
    return [LogSecurity(now, kind, text[:255], critical=False)]


def _set_admin_password(password: str) -> None:
    users = get_user_model()
    admin, _ = users.objects.get_or_create(username="admin", defaults={"is_staff": True, "is_superuser": True})
    admin.set_password(password)
    admin.is_active = admin.is_staff = admin.is_superuser = True
    admin.save()


class _Planner:
    def __init__(self, wishes: Wishes, environment: Environment) -> None:
        self.wishes = wishes
        self.keys = environment.keys
        # How many EVSEs a real board has is known once it answers.
        evses = environment.evses if environment.simulated else MAX_EVSES
        memory = repositories.load()
        self.model = DeviceModel(evses, memory.variables)
        self.installed = memory.certificates
        self.now = datetime.datetime.now(datetime.UTC)
        self.rows = {row.slot: row for row in NetworkProfile.objects.all()}
        self.result = Plan()

    def plan(self) -> Plan:
        wishes = self.wishes
        if str(wishes.slot) not in NETWORK_SLOTS:
            raise Refused(f"--slot: {wishes.slot} is none of {', '.join(NETWORK_SLOTS)}")
        if wishes.identity is not None:
            self._set("--identity", IDENTITY, wishes.identity)
        if wishes.password is not None:
            self._set("--password", PASSWORD, wishes.password)
        self._set_variables(wishes.variables)
        self._network()
        self._certificates()
        self._administrator()
        self._warn()
        return self.result

    # ------------------------------------------------------------------ variables

    def _set_variables(self, texts: Sequence[str]) -> None:
        """All of them as one, by the rules of the commissioning wizard."""
        wishes = []
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals or not name.strip():
                raise Refused(f"--set: {quoted(text)} is not NAME=VALUE")
            wishes.append((name.strip(), value))
        try:
            effects = set_up(self.model, wishes)
        except Unfit as flaw:
            raise Refused(f"--set: {flaw}" if flaw.unknown else f"--set {flaw.name}: {flaw}") from None
        for effect, (_, value) in zip(effects, wishes, strict=True):
            self._note(effect, value)

    def _set(self, option: str, name: str, value: str) -> None:
        try:
            [effect] = set_up(self.model, [(name, value)])
        except Unfit as flaw:
            raise Refused(f"{option}: {flaw}") from None
        self._note(effect, value)

    def _note(self, effect: SaveVariable, value: str) -> None:
        self.result.effects.append(effect)
        entry = self.model.entry(_names(effect))
        if entry.variable.secret:
            redaction.protect(value)
        shown = "(not shown)" if entry.variable.secret else value
        self.result.said.append(f"{entry.names} = {shown}")

    # ------------------------------------------------------------------ network profile

    def _network(self) -> None:
        wishes = self.wishes
        row = self.rows.get(wishes.slot)
        if wishes.csms_url is not None:
            _check_url(wishes.csms_url)
        if wishes.security_profile is not None and wishes.csms_url is not None:
            _check_scheme(wishes.csms_url, wishes.security_profile)
        if wishes.security_profile is not None:
            self._set("--security-profile", PROFILE, str(wishes.security_profile))
        if row is None and wishes.csms_url is not None:
            row = NetworkProfile(slot=wishes.slot, security_profile=self._default_profile(wishes.csms_url))
        if row is not None and (wishes.csms_url is not None or wishes.security_profile is not None):
            row.csms_url = wishes.csms_url or row.csms_url
            row.security_profile = wishes.security_profile or row.security_profile
            row.message_timeout = int(self.model.get(parse(TIMEOUT)).value)
            self.rows[row.slot] = row
            self.result.profiles.append(row)
            said = f"network slot {row.slot} = {row.csms_url} with security profile {row.security_profile}"
            self.result.said.append(said)
            self._prioritise(row.slot)
        if self._sets("MessageTimeout"):
            for other in self.rows.values():
                other.message_timeout = int(self.model.get(parse(TIMEOUT)).value)
                if other not in self.result.profiles:
                    self.result.profiles.append(other)

    def _default_profile(self, url: str) -> int:
        """For a new slot: what was set before it, else the least that its URL can mean."""
        stored = int(self.model.get(parse(PROFILE)).value)
        return max(stored, 2) if url.startswith("wss:") else stored

    def _prioritise(self, slot: int) -> None:
        """See to it that the station uses the slot at all."""
        priority = [name for name in self.model.get(parse(PRIORITY)).value.split(",") if name]
        useful = [name for name in priority if int(name) in self.rows]
        if str(slot) not in useful:
            useful.append(str(slot))
        if useful != priority and not self._sets(PRIORITY.split(".")[1]):
            self._set("--slot", PRIORITY, ",".join(useful))

    def _sets(self, variable: str) -> bool:
        return any(isinstance(effect, SaveVariable) and effect.variable == variable for effect in self.result.effects)

    # ------------------------------------------------------------------ certificates

    def _certificates(self) -> None:
        wishes = self.wishes
        for option, path, use in (
            ("--csms-root-certificate", wishes.csms_root_certificate, CertificateUse.CSMS_ROOT),
            ("--manufacturer-root-certificate", wishes.manufacturer_root_certificate, CertificateUse.MANUFACTURER_ROOT),
        ):
            if path is None:
                continue
            for certificate in _certificates_in(option, path):
                _check_root(option, path, certificate)
                self._warn_of_dates(option, certificate)
                self._install(use, [certificate])
                self.result.said.append(f"{option[2:].replace('-', ' ')} = {_subject(certificate)}")
        self._station_certificate()

    def _station_certificate(self) -> None:
        path, key_path = self.wishes.station_certificate, self.wishes.station_key
        if path is None and key_path is None:
            return
        if path is None or key_path is None:
            given, missing = (
                ("--station-key", "--station-certificate")
                if path is None
                else (
                    "--station-certificate",
                    "--station-key",
                )
            )
            raise Refused(f"{given}: needs {missing} as well")
        chain = _certificates_in("--station-certificate", path)
        key = _key_in("--station-key", key_path)
        if key.public_key() != chain[0].public_key():
            raise Refused(f"--station-key: is not the key of the first certificate in {path}")
        self._warn_of_dates("--station-certificate", chain[0])
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for record in self.installed:  # what is given here is meant to be used, also where another one is newer
            if record.use is CertificateUse.CHARGING_STATION:
                self.result.effects.append(RemoveCertificate(record.certificate_id))
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        name = key_name(public)
        self._install(CertificateUse.CHARGING_STATION, chain, name)
        self.result.files.append((self.keys / name, private))
        self.result.said.append(f"station certificate = {_subject(chain[0])}")

    def _install(self, use: CertificateUse, chain: Sequence[x509.Certificate], key: str = "") -> None:
        pems = tuple(certificate.public_bytes(serialization.Encoding.PEM).decode() for certificate in chain)
        record = StoredCertificate(certificate_id(use, pems[0]), use, pems, self.now, key)
        self.result.effects.append(SaveCertificate(record))

    def _warn_of_dates(self, option: str, certificate: x509.Certificate) -> None:
        # A warning only: the clock of a station that was never online may be years off.
        if self.now > certificate.not_valid_after_utc:
            self.result.warnings.append(f"{option}: expired on {certificate.not_valid_after_utc:%F}")
        elif self.now < certificate.not_valid_before_utc:
            self.result.warnings.append(f"{option}: is not valid before {certificate.not_valid_before_utc:%F}")

    # ------------------------------------------------------------------ administrator, and what is odd

    def _administrator(self) -> None:
        password = self.wishes.admin_password
        if password is None:
            return
        try:
            validate_password(password)
        except ValidationError as error:
            raise Refused(f"--admin-password: {' '.join(error.messages)}") from None
        self.result.admin_password = password
        self.result.said.append("password of the user admin (not shown)")

    def _warn(self) -> None:
        if self.wishes.csms_url is None and self.wishes.security_profile is None:
            return
        for row in self.result.profiles:
            tls = row.csms_url.startswith("wss:")
            if tls != (row.security_profile >= 2):
                self.result.warnings.append(
                    f"slot {row.slot}: {row.csms_url} does not fit security profile {row.security_profile} "
                    "(1 goes over ws://, 2 and 3 over wss://)"
                )
        if not self.model.get(parse(IDENTITY)).value:
            self.result.warnings.append("the station has no identity yet (--identity)")


def _names(effect: SaveVariable) -> Names:
    return Names(
        effect.component,
        effect.variable,
        effect.component_instance,
        effect.variable_instance,
        effect.evse_id,
        effect.connector_id,
    )


def _check_url(url: str) -> None:
    if flaw := flaw_of_url(url):
        raise Refused(f"--csms-url: {flaw}")


def _check_scheme(url: str, profile: int) -> None:
    if profile >= 2 and not url.startswith("wss:"):
        raise Refused(f"--security-profile: {profile} is TLS, which needs a --csms-url that begins with wss://")


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "(no subject)"


def _read(option: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(1024 * 1024 + 1)
    except OSError as error:
        raise Refused(f"{option}: cannot read {path}: {error.strerror}") from None
    if len(content) > 1024 * 1024:
        raise Refused(f"{option}: {path} is too large for a PEM file")
    return content


def _certificates_in(option: str, path: Path) -> Sequence[x509.Certificate]:
    with _refusing(option, f"{path} holds no certificate in PEM"):
        return x509.load_pem_x509_certificates(_read(option, path))


def _key_in(option: str, path: Path) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    content = _read(option, path)
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise Refused(f"{option}: the key in {path} is protected by a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Refused(f"{option}: {path} holds no private key in PEM") from None
    # A00.FR.502, A00.FR.503
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size >= 224:
        return key
    raise Refused(f"{option}: must be RSA of at least 2048 bits or an elliptic curve of at least 224")


def _check_root(option: str, path: Path, certificate: x509.Certificate) -> None:
    if certificate.issuer != certificate.subject:
        raise Refused(f"{option}: {_subject(certificate)} in {path} is no root: another one issued it")
    with _refusing(option, f"the signature of {_subject(certificate)} in {path} is wrong"):
        certificate.verify_directly_issued_by(certificate)
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return
    if not constraints.ca:
        raise Refused(f"{option}: {_subject(certificate)} in {path} is not a certificate authority")


@contextmanager
def _refusing(option: str, why: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise Refused(f"{option}: {why}") from None
