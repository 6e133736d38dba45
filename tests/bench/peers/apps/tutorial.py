"""FastAPI with SQLModel, written as the tutorials of both are."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query
from sqlalchemy import JSON, Column, func, text
from sqlalchemy.orm import defer
from sqlmodel import Field, Session, SQLModel, create_engine, select


class Card(SQLModel):
    id: int
    slug: str
    headline: str
    summary: str | None
    byline: str | None
    dateline: str | None
    section: str | None
    language: str | None
    source: str | None
    external_id: str | None
    canonical_url: str | None
    status: str
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    authors: list[dict[str, Any]]
    tags: list[str]
    lead_image: dict[str, Any] | None


class Whole(Card):
    body: list[dict[str, Any]]


class ArticleCreate(SQLModel):
    headline: str = Field(max_length=500)
    summary: str | None = None
    byline: str | None = None
    dateline: str | None = None
    section: str | None = None
    language: str | None = None
    source: str | None = None
    external_id: str | None = None
    canonical_url: str | None = None
    status: str = "draft"
    authors: list[dict[str, Any]] = []
    tags: list[str] = []
    lead_image: dict[str, Any] | None = None
    body: list[dict[str, Any]] = []


class Article(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    headline: str
    summary: str | None = None
    byline: str | None = None
    dateline: str | None = None
    section: str | None = None
    language: str | None = None
    source: str | None = None
    external_id: str | None = None
    canonical_url: str | None = None
    status: str
    published_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    authors: list[Any] = Field(default=[], sa_column=Column(JSON))
    tags: list[Any] = Field(default=[], sa_column=Column(JSON))
    lead_image: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    body: list[Any] = Field(default=[], sa_column=Column(JSON))
    text: str


class Page(SQLModel):
    items: list[Card]
    count: int | None = None


engine = create_engine(f"sqlite:///{os.environ['PEER_DATABASE']}", connect_args={"check_same_thread": False})
app = FastAPI()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


@app.get("/articles", response_model=Page)
def list_articles(
    session: SessionDep,
    published_before: datetime | None = None,
    q: str | None = None,
    count: bool = False,
    limit: Annotated[int, Query(le=100)] = 20,
) -> Any:
    chosen = [Article.status == "published"]
    if published_before is not None:
        chosen.append(Article.published_at < published_before)
    if q is not None:
        hits = text("SELECT rowid FROM article_words WHERE article_words MATCH :words")
        chosen.append(Article.id.in_(hits.bindparams(words=q).columns(Article.id)))
    found = select(Article).where(*chosen).order_by(Article.published_at.desc(), Article.id.desc())
    items = session.exec(found.limit(limit).options(defer(Article.body), defer(Article.text))).all()
    total = session.exec(select(func.count()).select_from(Article).where(*chosen)).one() if count else None
    return {"items": items, "count": total}


@app.get("/articles/{slug}", response_model=Whole)
def read_article(session: SessionDep, slug: str) -> Any:
    found = select(Article).where(Article.slug == slug, Article.status == "published")
    article = session.exec(found.options(defer(Article.text))).first()
    if article is None:
        raise HTTPException(404, "Article not found")
    return article


@app.post("/articles", response_model=Whole, status_code=201)
def create_article(session: SessionDep, article: ArticleCreate) -> Any:
    moment = datetime.now(UTC)
    slug = re.sub(r"[^a-z0-9]+", "-", article.headline.lower()).strip("-")
    words = " ".join(re.sub(r"<[^>]*>", "", block.get("html", "")) for block in article.body)
    made = Article(**article.model_dump(), slug=slug, created_at=moment, updated_at=moment, text=words)
    session.add(made)
    session.commit()
    session.refresh(made)
    return made
