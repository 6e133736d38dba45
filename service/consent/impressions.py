"""How often a notice was shown: counts by day, and nothing about whoever saw it."""

from datetime import date

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field

from service.tables import Table


class ConsentImpression(Table, table=True):
    """How often one version was shown on one day. Country and surface are empty where they are not known."""

    __tablename__ = "consent_impression"
    __table_args__ = (ForeignKeyConstraint(["notice_key", "notice_version"], ["consent_notice.notice_key", "consent_notice.version"]),)

    day: date = Field(primary_key=True)
    notice_key: str = Field(primary_key=True)
    notice_version: int = Field(primary_key=True)
    country: str = Field(primary_key=True)
    ui_surface: str = Field(primary_key=True)
    impressions: int
