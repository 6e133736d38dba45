"""Name what each room hands to the rooms below it: renderers, listeners, writers of forms, tables.

A room below cannot import one above. It is handed these dictionaries instead: a transaction finds them at its
database, an endpoint among the services.
"""

from sqlalchemy import MetaData

from service.articles import indexing
from service.articles import read as articles
from service.articles.models import Article, ArticleIndexing, ArticleSlug, ArticleTerm, ArticleVersion
from service.articles.previews import Preview
from service.bulk.places import BulkPlace
from service.consent.audit.retention import ConsentRetention
from service.consent.decisions.impressions import ConsentImpression
from service.consent.log.sealing import ConsentUnsealed
from service.consent.log.tree import ConsentLeaf, ConsentTreeHead
from service.consent.models import ConsentEvent, ConsentNotice, ConsentSubject
from service.consent.notices import lifecycle as notices
from service.copies.models import ArticleCopy, CopyHolder, ImageCopy
from service.database import Database
from service.formats import newsarticle
from service.formats.ninjs import write as ninjs
from service.http.callers import Token
from service.http.idempotency import KeptAnswer
from service.images import read as images
from service.images import resolve
from service.images.models import Caption, Image, ImagePastUse, ImageUse, ImageWithdrawal
from service.mirror.place import MirrorPlace
from service.published.forms import Form, Forms
from service.published.models import (
    Awaiting,
    Epoch,
    Kind,
    Published,
    PublishedFormer,
    PublishedName,
    PublishedPast,
    PublishedSequence,
    PublishedSlug,
    PublishedSpan,
    PublishedTerm,
    Rendering,
    WorkingChange,
)
from service.published.render import Publishing
from service.purging.models import PurgePlace
from service.settings import Settings
from service.tables import Table
from service.webhooks import outbox
from service.webhooks.models import Webhook, WebhookDelivery, WebhookEvent

PUBLISHING = Publishing(
    renderers={
        Kind.ARTICLE: articles.render,
        Kind.IMAGE: images.render_images,
        Kind.CAPTION: images.render_captions,
        Kind.NOTICE: notices.render,
    },
    listeners=(outbox.put_out,),
    picture_listeners=(indexing.await_indexing,),
    loaded_pictures=resolve.loaded,
    forget_pictures=resolve.forget,
)
FORMS = Forms(
    writers={Form.NINJS: ninjs.write, Form.JSONLD: newsarticle.write},
    tombstones={Form.NINJS: ninjs.bury},
)
TABLES: tuple[type[Table], ...] = (
    Token,
    KeptAnswer,
    PublishedSequence,
    Epoch,
    Rendering,
    Awaiting,
    Published,
    PublishedSlug,
    PublishedTerm,
    PublishedName,
    PublishedPast,
    PublishedFormer,
    PublishedSpan,
    WorkingChange,
    ConsentNotice,
    ConsentSubject,
    ConsentEvent,
    ConsentImpression,
    ConsentUnsealed,
    ConsentLeaf,
    ConsentTreeHead,
    ConsentRetention,
    Image,
    ImageWithdrawal,
    Caption,
    ImageUse,
    ImagePastUse,
    Article,
    ArticleSlug,
    ArticleTerm,
    ArticleIndexing,
    ArticleVersion,
    Preview,
    CopyHolder,
    ImageCopy,
    ArticleCopy,
    Webhook,
    WebhookEvent,
    WebhookDelivery,
    PurgePlace,
    BulkPlace,
    MirrorPlace,
)


def open_database(settings: Settings, *, serves: bool = False) -> Database:
    """Return the database that the settings name, whose transactions publish what they change."""
    return Database(settings, PUBLISHING, serves=serves)


def tables() -> MetaData:
    """Return the tables of all rooms, with which migrations are compared."""
    (metadata,) = {table.metadata for table in TABLES}
    return metadata
