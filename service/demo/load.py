"""Load the samples, once, and tell the newcomer where to look."""

from contextlib import closing
from datetime import timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import track
from sqlmodel import select

from service.articles import lifecycle
from service.articles.models import Article, ArticleCreate
from service.consent.notices.defaults import ensure_defaults
from service.database import Database, Session
from service.demo import notices, partner, readers
from service.demo.pictures import draw
from service.demo.sample import Sample, SamplePicture
from service.demo.samples import SAMPLES
from service.demo.scenes import SCENES
from service.http.callers import Caller
from service.images import captions
from service.images import lifecycle as images
from service.images.caption_writing import CaptionWrite
from service.images.intake import Intake, KeptFile
from service.images.models import ImageCreate
from service.scopes import Scope
from service.tables import now
from service.tokens import TokenCreate, is_good, make_token

SOURCE = "copydesk-demo"
KEPT_TOKEN = Path("var/demo-token")
DESK = Caller(name="demo", scopes=frozenset({Scope.ADMIN}))


def fill(database: Database, screen: Console) -> None:
    """Load the news, tell a partner of them, and have readers decide, as far as a store has none
    of it yet.
    """
    with partner.telling(database):
        load(database, screen)
    readers.decide(database)


def load(database: Database, screen: Console) -> None:
    """Load the news that are not there yet, one transaction an article, and the notices of their
    languages.
    """
    with database.writing() as session:
        ensure_defaults(session)
        notices.publish(session)
        known = set(session.exec(select(Article.external_id).where(Article.source == SOURCE)))
    missing = [sample for sample in SAMPLES if sample.external_id not in known]
    if not missing:
        return
    with closing(Intake(database.settings)) as intake:
        for sample in track(missing, "Loading sample news", console=screen, transient=True):
            # Drawn and kept before the transaction begins: bytes are stored before the row that names them.
            kept = {picture.scene: _keep(intake, picture.scene) for picture in sample.pictures.values()}
            with database.writing() as session:
                article = _write(session, sample, kept)
            with database.writing() as session:
                _go_on(session, sample, article)


def introduce(database: Database, screen: Console, base: str) -> None:
    """Say where to click, and print the demo's token, alone, on standard output."""
    token = _token(database)
    front = [("Front page", f"{base}/")] if database.settings.web == "on" else []
    for label, address in (
        *front,
        ("Articles", f"{base}/v1/articles"),
        ("One of them", f"{base}/v1/articles/harbour-bridge-reopens-after-a-winter-of-repairs?body=html"),
        ("The API", f"{base}/docs"),
        *([("In Chinese", f"{base}/?section=%E5%9F%8E%E5%B8%82")] if front else []),
        *([("Consent", f"{base}/consent/report")] if front else []),
        ("Webhooks", f"curl -H 'Authorization: Bearer {token}' {base}/v1/webhooks"),
        ("Drafts", f"curl -H 'Authorization: Bearer {token}' '{base}/v1/articles?status=draft'"),
    ):
        screen.print(f"  [bold]{label:<12}[/] [cyan]{address}[/]", soft_wrap=True)
    screen.print("  Ctrl-C stops it. The token, once more alone:")
    Console(highlight=False, soft_wrap=True).print(token)


def _token(database: Database) -> str:
    """Return the token that earlier demos have printed, if it is still good, or make one. It is kept where
    the secret of a store in development is.
    """
    with database.writing() as session:
        if KEPT_TOKEN.exists():
            token = KEPT_TOKEN.read_text().strip()
            if is_good(session, token):
                return token
        token = make_token(session, TokenCreate(name="demo", scopes=[Scope.ADMIN])).token
        KEPT_TOKEN.parent.mkdir(parents=True, exist_ok=True)
        KEPT_TOKEN.touch(mode=0o600)
        KEPT_TOKEN.write_text(f"{token}\n")
    return token


def _keep(intake: Intake, scene: str) -> KeptFile:
    with intake.draft() as draft:
        draft.write(_drawn(scene))
        return intake.keep(draft)


@cache
def _drawn(scene: str) -> bytes:
    return draw(SCENES[scene])


def _go_on(session: Session, sample: Sample, article_id: UUID) -> None:
    """Correct or withdraw what was published, where the sample says so."""
    if sample.correction is None and sample.withdrawal is None:
        return
    article = lifecycle.get(session, article_id, lock=True)
    if sample.correction is not None:
        lifecycle.correct(session, DESK, article, "correction", sample.correction)
    if sample.withdrawal is not None:
        lifecycle.withdraw(session, DESK, article, sample.withdrawal)


def _write(session: Session, sample: Sample, kept: dict[str, KeptFile]) -> UUID:
    shown = {
        place: _image(session, sample, picture, kept[picture.scene])
        for place, picture in sample.pictures.items()
    }
    body: list[dict[str, object]] = []
    for place, paragraph in enumerate(sample.paragraphs):
        if place == 1 and sample.heading:
            body.append({"type": "heading", "level": 2, "html": sample.heading})
        body.append({"type": "paragraph", "html": paragraph})
        if place in shown:
            body.append({"type": "image", "image_id": shown[place]})
    if sample.table:
        header, *rows = sample.table
        body.append({"type": "table", "header": [header], "rows": rows})
    if sample.quote:
        body.append({"type": "quote", "html": sample.quote[0], "cite": sample.quote[1]})
    create = {
        "headline": sample.headline,
        "summary": sample.summary,
        "section": sample.section,
        "language": sample.language,
        "tags": sample.tags,
        "authors": [{"name": sample.author}],
        "byline": sample.author,
        "dateline": sample.dateline,
        "credit_line": sample.credit_line,
        "source": SOURCE,
        "external_id": sample.external_id,
        "body": body,
        "lead_image_id": next(iter(shown.values()), None),
        "status": "published" if sample.published else "draft",
        "published_at": now() - timedelta(hours=sample.hours) if sample.published else None,
    }
    article, _ = lifecycle.create(session, DESK, ArticleCreate.model_validate(create))
    return article.id


def _image(session: Session, sample: Sample, picture: SamplePicture, kept: KeptFile) -> UUID:
    """Return the image with these bytes, and its caption in the article's language."""
    image, _ = images.create(session, DESK, ImageCreate(credit_line=picture.credit, source=SOURCE), kept)
    words = CaptionWrite(language=sample.language, text=picture.caption, alt_text=picture.alt)
    captions.create(session, DESK, words, image.id)
    session.flush()
    return image.id
