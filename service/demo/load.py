"""Load the samples, once, and tell the newcomer where to look."""

from contextlib import closing
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import track
from sqlmodel import select

from service.articles import lifecycle
from service.articles.models import Article, ArticleCreate
from service.auth import Caller
from service.consent.notices.defaults import ensure_defaults
from service.database import Database, Session
from service.demo.pictures import draw
from service.demo.samples import SAMPLES, Sample, SamplePicture
from service.images import captions
from service.images import lifecycle as images
from service.images.caption_writing import CaptionWrite
from service.images.intake import Intake, KeptFile
from service.images.models import ImageCreate
from service.scopes import Scope
from service.tokens import TokenCreate, is_good, make_token

SOURCE = "copydesk-demo"
KEPT_TOKEN = Path("var/demo-token")
DESK = Caller(name="demo", scopes=frozenset({Scope.ADMIN}))


def load(database: Database, screen: Console) -> None:
    """Load what is not there yet, one transaction an article."""
    with database.writing() as session:
        ensure_defaults(session)
    with closing(Intake(database.settings)) as intake:
        for sample in track(SAMPLES, "Loading sample news", console=screen, transient=True):
            # Drawn and kept before the transaction begins: bytes are stored before the row that names them.
            kept = {picture.number: _keep(intake, picture) for picture in sample.pictures.values()}
            with database.writing() as session:
                known = select(Article.id).where(
                    Article.source == SOURCE, Article.external_id == sample.external_id
                )
                if session.exec(known).one_or_none() is None:
                    _write(session, sample, kept)


def introduce(database: Database, screen: Console, base: str) -> None:
    """Say where to click, and print the demo's token, alone, on standard output."""
    token = _token(database)
    front = [("Front page", f"{base}/")] if database.settings.web == "on" else []
    for label, address in (
        *front,
        ("Articles", f"{base}/v1/articles"),
        ("One of them", f"{base}/v1/articles/harbour-bridge-reopens-after-a-winter-of-repairs?body=html"),
        ("The API", f"{base}/docs"),
        ("Drafts", f"curl -H 'Authorization: Bearer {token}' '{base}/v1/articles?status=draft'"),
    ):
        screen.print(f"  [bold]{label:<12}[/] [cyan]{address}[/]", soft_wrap=True)
    screen.print("  Ctrl-C stops it. The token, once more alone:")
    Console(highlight=False, soft_wrap=True).print(token)


def _token(database: Database) -> str:
    """Return the token that earlier demos have printed, if it is still good, or make one. It is kept where the
    secret of a store in development is.
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


def _keep(intake: Intake, picture: SamplePicture) -> KeptFile:
    with intake.draft() as draft:
        draft.write(draw(picture.number))
        return intake.keep(draft)


def _write(session: Session, sample: Sample, kept: dict[int, KeptFile]) -> None:
    shown = {
        place: _image(session, sample, picture, kept[picture.number])
        for place, picture in sample.pictures.items()
    }
    body: list[dict[str, object]] = []
    for place, paragraph in enumerate(sample.paragraphs):
        if place == 1 and sample.heading:
            body.append({"type": "heading", "level": 2, "html": sample.heading})
        body.append({"type": "paragraph", "html": paragraph})
        if place in shown:
            body.append({"type": "image", "image_id": shown[place]})
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
    }
    lifecycle.create(session, DESK, ArticleCreate.model_validate(create))


def _image(session: Session, sample: Sample, picture: SamplePicture, kept: KeptFile) -> UUID:
    """The image with these bytes, and its caption in the article's language."""
    image, _ = images.create(session, DESK, ImageCreate(credit_line=picture.credit, source=SOURCE), kept)
    words = CaptionWrite(language=sample.language, text=picture.caption, alt_text=picture.alt)
    captions.create(session, DESK, words, image.id)
    session.flush()
    return image.id
