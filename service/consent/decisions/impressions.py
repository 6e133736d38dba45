"""Counts of how often a notice was shown, by day. They hold nothing about the reader."""

from datetime import date

import pydantic
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field, col

from service.consent.decisions.deciding import Surface
from service.consent.models import Key
from service.database import Session, insert
from service.tables import Table, now


class Impression(BaseModel):
    """That a page showed a notice."""

    model_config = ConfigDict(extra="forbid")

    notice_key: Key = pydantic.Field(examples=["default"])
    notice_version: pydantic.StrictInt = pydantic.Field(ge=1, le=2**31 - 1, examples=[1])
    ui_surface: Surface | None = pydantic.Field(default=None, examples=["banner"])


class ConsentImpression(Table, table=True):
    """The number of times that one version was shown on one day. Country and surface are empty where they are
    not known.
    """

    __tablename__ = "consent_impression"
    __table_args__ = (
        ForeignKeyConstraint(
            ["notice_key", "notice_version"], ["consent_notice.notice_key", "consent_notice.version"]
        ),
    )

    day: date = Field(primary_key=True)
    notice_key: str = Field(primary_key=True)
    notice_version: int = Field(primary_key=True)
    country: str = Field(primary_key=True)
    ui_surface: str = Field(primary_key=True)
    impressions: int


def add_one(session: Session, impression: Impression, country: str | None) -> None:
    """Count one more."""
    row = {
        "day": now().date(),
        "notice_key": impression.notice_key,
        "notice_version": impression.notice_version,
        "country": country or "",
        "ui_surface": impression.ui_surface or "",
        "impressions": 1,
    }
    session.execute(
        insert(session, ConsentImpression)
        .values(row)
        .on_conflict_do_update(
            index_elements=[name for name in row if name != "impressions"],
            set_={"impressions": col(ConsentImpression.impressions) + 1},
        )
    )
