"""The words for what tokens allow. The command line offers these words before anything else of the service is
imported.
"""

import enum


class Scope(enum.StrEnum):
    """One thing that a token allows."""

    CONTENT_READ = "content:read"
    CONTENT_WRITE = "content:write"
    CONTENT_PUBLISH = "content:publish"
    CONSENT_READ = "consent:read"
    CONSENT_WRITE = "consent:write"
    WEBHOOKS_WRITE = "webhooks:write"
    ADMIN = "admin"
