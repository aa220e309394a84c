"""Verifies the sender of mails in the SES of the local AWS, which keeps all mails that it sends."""

import os

from common import client


def set_up() -> None:
    """Verifies the address of MAIL_FROM."""
    ses = client("sesv2")
    try:
        ses.create_email_identity(EmailIdentity=os.environ["MAIL_FROM"])
    except ses.exceptions.AlreadyExistsException:
        pass
