"""Django's settings, and the model that Django REST framework and django-ninja share."""

import os
import re
from datetime import datetime
from typing import Any

import django
from django.conf import settings
from django.db import models
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

settings.configure(
    SECRET_KEY="a secret of the benchmark, which guards nothing",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=os.environ["PEER_URLS"],
    INSTALLED_APPS=["rest_framework"] if os.environ["PEER_URLS"] == "drf" else [],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    USE_TZ=True,
    TIME_ZONE="UTC",
    APPEND_SLASH=False,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["PEER_DATABASE"],
            "CONN_MAX_AGE": None,
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

WRITTEN = [
    "headline",
    "summary",
    "byline",
    "dateline",
    "section",
    "language",
    "source",
    "external_id",
    "canonical_url",
    "status",
    "authors",
    "tags",
    "lead_image",
]
CARD = ["id", "slug", *WRITTEN, "published_at", "created_at", "updated_at"]


class Article(models.Model):
    slug = models.CharField(max_length=500, unique=True)
    headline = models.CharField(max_length=500)
    summary = models.TextField(null=True)
    byline = models.CharField(max_length=500, null=True)
    dateline = models.CharField(max_length=500, null=True)
    section = models.CharField(max_length=500, null=True)
    language = models.CharField(max_length=35, null=True)
    source = models.CharField(max_length=500, null=True)
    external_id = models.CharField(max_length=500, null=True)
    canonical_url = models.CharField(max_length=2000, null=True)
    status = models.CharField(max_length=20, default="draft")
    published_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    authors = models.JSONField(default=list)
    tags = models.JSONField(default=list)
    lead_image = models.JSONField(null=True)
    body = models.JSONField(default=list)
    text = models.TextField()

    class Meta:
        app_label = "newsroom"
        db_table = "article"
        managed = False


def found(before: datetime | None, words: str | None) -> QuerySet[Article]:
    """Return the published articles that a list asks for, the newest first."""
    articles = Article.objects.filter(status="published").order_by("-published_at", "-id")
    if before is not None:
        articles = articles.filter(published_at__lt=before)
    if words is not None:
        hits = RawSQL("SELECT rowid FROM article_words WHERE article_words MATCH %s", (words,))
        articles = articles.filter(id__in=hits)
    return articles.defer("body", "text")


def made_of(headline: str, body: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a new article has beside what was sent."""
    moment = timezone.now()
    return {
        "slug": re.sub(r"[^a-z0-9]+", "-", headline.lower()).strip("-"),
        "created_at": moment,
        "updated_at": moment,
        "text": " ".join(re.sub(r"<[^>]*>", "", block.get("html", "")) for block in body),
    }
