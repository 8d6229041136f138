"""A notice by e-mail. Only the transfer worker does this, and only then loads what it takes."""

from __future__ import annotations

import socket
import ssl

from station.notices.failed import Failed
from station.notices.models import Settings
from station.notices.words import Message
from station.store.secrets import SecretDamaged, unseal

PATIENCE = 20.0  # s for each step


def send(settings: Settings, message: Message) -> None:
    """Hand the notice to the mail server; raises Failed. A server that takes it for some only has failed for the rest.

    Without TLS no password is sent, whatever the settings say.
    """
    import smtplib

    try:
        _deliver(settings, message)
    except SecretDamaged as error:
        raise Failed("settings", error) from error
    except socket.gaierror as error:
        raise Failed("name", settings.smtp_host) from error
    except ssl.SSLCertVerificationError as error:
        raise Failed("untrusted", error.verify_message) from error
    except ssl.SSLError as error:
        raise Failed("tls", error.reason or error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Failed("not_supported", error) from error
    except smtplib.SMTPAuthenticationError as error:
        raise Failed("credentials", _said(error.smtp_code, error.smtp_error)) from error
    except smtplib.SMTPSenderRefused as error:
        raise Failed("sender", _said(error.smtp_code, error.smtp_error)) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise Failed("recipient", _refused(error.recipients)) from error
    except smtplib.SMTPServerDisconnected as error:
        # smtplib says so, too, where it waited in vain
        raise Failed("timeout" if isinstance(error.__context__, TimeoutError) else "broken_off", error) from error
    except smtplib.SMTPResponseException as error:
        raise Failed("refused", _said(error.smtp_code, error.smtp_error)) from error
    except smtplib.SMTPException as error:
        raise Failed("protocol", error) from error
    except TimeoutError as error:
        raise Failed("timeout") from error
    except OSError as error:
        raise Failed("unreachable", error.strerror or error) from error
    except (ValueError, UnicodeError) as error:
        raise Failed("settings", error) from error


def _deliver(settings: Settings, message: Message) -> None:
    import smtplib

    secure = settings.smtp_tls != Settings.Tls.NONE
    context = ssl.create_default_context() if secure else None
    if settings.smtp_tls == Settings.Tls.TLS:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.smtp_host, settings.smtp_port, timeout=PATIENCE, context=context
        )
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=PATIENCE)
    with server:
        if settings.smtp_tls == Settings.Tls.STARTTLS:
            server.starttls(context=context)
        if settings.smtp_user and secure:
            server.login(settings.smtp_user, unseal(settings.smtp_password) if settings.smtp_password else "")
        refused = server.send_message(_letter(settings, message))
    if refused:
        raise Failed("recipient", _refused(refused))


def _letter(settings: Settings, message: Message) -> object:
    from email.message import EmailMessage
    from email.utils import format_datetime, make_msgid

    from django.utils import timezone

    letter = EmailMessage()
    letter["From"] = settings.mail_from
    letter["To"] = ", ".join(settings.mail_to.split())
    letter["Subject"] = message.subject
    letter["Date"] = format_datetime(timezone.now())
    letter["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is answered to a station
    letter.set_content(message.body)
    return letter


def _said(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"


def _refused(recipients: object) -> str:
    if not isinstance(recipients, dict):
        return str(recipients)
    return "; ".join(f"{address}: {_said(*answer)}" for address, answer in recipients.items())
