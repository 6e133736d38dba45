"""django-ninja, with schemas made of the model."""

from datetime import datetime
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path
from newsroom import CARD, WRITTEN, Article, found, made_of
from ninja import ModelSchema, NinjaAPI, Schema

api = NinjaAPI()


class Card(ModelSchema):
    authors: list[dict[str, Any]]
    tags: list[str]
    lead_image: dict[str, Any] | None

    class Meta:
        model = Article
        fields = CARD


class Whole(Card):
    body: list[dict[str, Any]]


class Page(Schema):
    items: list[Card]
    count: int | None = None


class ArticleCreate(ModelSchema):
    status: str = "draft"
    authors: list[dict[str, Any]] = []
    tags: list[str] = []
    lead_image: dict[str, Any] | None = None
    body: list[dict[str, Any]] = []

    class Meta:
        model = Article
        fields = [name for name in WRITTEN if name not in ("status", "authors", "tags", "lead_image")]


@api.get("/articles", response=Page)
def list_articles(
    request: HttpRequest, published_before: datetime | None = None, q: str | None = None, count: bool = False
) -> Any:
    articles = found(published_before, q)
    return {"items": list(articles[:20]), "count": articles.count() if count else None}


@api.get("/articles/{slug}", response=Whole)
def read_article(request: HttpRequest, slug: str) -> Any:
    return get_object_or_404(Article.objects.defer("text"), slug=slug, status="published")


@api.post("/articles", response={201: Whole})
def create_article(request: HttpRequest, article: ArticleCreate) -> Any:
    return 201, Article.objects.create(**article.dict(), **made_of(article.headline, article.body))


urlpatterns = [path("", api.urls)]
application = get_wsgi_application()
