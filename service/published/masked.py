"""Mask the slugs of articles that have gone, so that a mirror knows each of them and nobody can list them.

A slug tells the headline, which may be just what was withdrawn. Whoever knows the slug is answered 410 under
it by the origin, and by the mirror, which masks what is asked for and compares.
"""

import hashlib

_MARK = "~"
"""No slug begins with it."""


def masked(slug: str) -> str:
    """Return the hash of a slug; one that is masked already stays as it is."""
    if slug.startswith(_MARK):
        return slug
    return _MARK + hashlib.blake2b(slug.encode(), digest_size=16).hexdigest()
