"""Verifies the sender of mails in the SES of the local AWS, which keeps all mails that it sends, and stores the secrets of our client at
the outside providers that the tests start."""

import json
import os

from common import client, outputs


def set_up() -> None:
    """Verifies the address of MAIL_FROM, and stores IDENTITY_SECRET."""
    ses = client("sesv2")
    try:
        ses.create_email_identity(EmailIdentity=os.environ["MAIL_FROM"])
    except ses.exceptions.AlreadyExistsException:
        pass
    if secret := outputs()["AuthIdentityProvidersSecretId"]:
        text = json.dumps(dict.fromkeys(("local", "errand"), os.environ["IDENTITY_SECRET"]))
        client("secretsmanager").put_secret_value(SecretId=secret, SecretString=text)
