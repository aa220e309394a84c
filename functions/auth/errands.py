"""Which permissions of auth infra/local/least_privilege.py does not judge. The tour uses all others."""

UNJUDGED = {"auth-create-signing-key": "it runs while the stack is deployed, and not after"}
