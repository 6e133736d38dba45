"""The words for what a batch may do. The command line offers these words before anything else of the service
is imported.
"""

import enum


class Mode(enum.StrEnum):
    """The ways in which an item may be treated: made or brought up to date, only made, only brought up to
    date, or brought up to date though the desk has taken its article away.
    """

    UPSERT = "upsert"
    CREATE = "create"
    UPDATE = "update"
    RESTORE = "restore"
