"""Nothing that ninjs can say of an article is lost when it is written and read again."""

import html
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.articles.body import ResolvedImage
from service.articles.models import ArticleCreate, ArticleRead
from service.formats.ninjs.models import Ninjs
from service.formats.ninjs.read import read
from service.formats.ninjs.write import as_ninjs
from service.images.models import CaptionScope, CaptionSource, EffectiveCaption, ImageRead, Rendition
from service.tables import now
from tests.formats.agency import Said

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
line = words.filter(lambda text: text.strip() != "" and len(text.strip()) > 0)
tagged = st.tuples(st.sampled_from(["em", "strong", "code", "sub", "sup"]), words).map(
    lambda pair: f"<{pair[0]}>{html.escape(pair[1])}</{pair[0]}>"
)
linked = words.map(lambda text: f'<a href="https://x.example/?q={html.escape(text)}">{html.escape(text)}</a>')
inline = st.lists(st.one_of(words.map(html.escape), tagged, linked, st.just("<br>")), max_size=4).map("".join)
blocks = st.one_of(
    inline.map(lambda text: {"type": "paragraph", "html": text}),
    st.tuples(st.integers(2, 4), inline).map(
        lambda pair: {"type": "heading", "level": pair[0], "html": pair[1]}
    ),
    st.tuples(inline.filter(bool), st.none() | line).map(
        lambda pair: {"type": "quote", "html": pair[0], "cite": pair[1]}
    ),
    st.tuples(st.booleans(), st.lists(inline, max_size=3)).map(
        lambda pair: {"type": "list", "ordered": pair[0], "items": pair[1]}
    ),
    words.map(lambda text: {"type": "embed", "url": f"https://www.youtube.com/{''.join(text.split())}"}),
    st.just({"type": "divider"}),
    st.integers(0, 2).map(lambda number: {"type": "image", "image_id": str(UUID(int=number + 1))}),
)
maybe = st.none() | line
contents = st.fixed_dictionaries(
    {
        "headline": line,
        "summary": maybe,
        "byline": maybe,
        "dateline": maybe,
        "section": maybe,
        "credit_line": maybe,
        "tags": st.lists(line, max_size=3, unique=True),
        "authors": st.lists(
            st.fixed_dictionaries(
                {"name": line, "url": st.none() | words.map(lambda text: "https://m.example/" + text)}
            ),
            max_size=3,
        ),
        "language": st.sampled_from(["en", "pt-BR", "zh-Hant"]),
        "source": maybe,
        "external_id": maybe,
        "usage_terms": maybe,
        "copyright_notice": maybe,
        "edition_note": maybe,
        "body": st.lists(blocks, max_size=6),
        "lead": st.none() | st.integers(0, 2),
        "canonical_url": st.none() | words.map(lambda text: "https://m.example/" + text),
        "published_at": st.none() | st.just("2026-05-04T08:00:00.000001Z"),
    }
)


def picture(id_: UUID, text: str | None, *, has_file: bool) -> tuple[ImageRead, EffectiveCaption | None]:
    at = now()
    files = [
        Rendition(
            name="original",
            href=f"https://x.example/media/{id_}.jpg",
            width=40,
            height=30,
            content_type="image/jpeg",
        )
    ]
    image = ImageRead(
        id=id_,
        digest=None,
        content_type=None,
        width=None,
        height=None,
        size=None,
        credit_line=text,
        copyright_notice=None,
        usage_terms=None,
        focal_point=None,
        placeholder=None,
        dominant_color=None,
        taken_at=None,
        source=None,
        external_id=None,
        source_url=None,
        metadata={},
        renditions=files if has_file else [],
        captions=[],
        version=1,
        created_at=at,
        updated_at=at,
    )
    caption = EffectiveCaption(
        id=id_,
        image_id=id_,
        article_id=None,
        language="en",
        text=text,
        alt_text=text,
        source=CaptionSource.MANUAL,
        version=1,
        created_at=at,
        updated_at=at,
        scope=CaptionScope.IMAGE,
    )
    return image, caption if text else None


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(contents, maybe, st.booleans())
def test_nothing_that_ninjs_can_say_is_lost_on_the_way(
    content: Said, text: str | None, has_file: bool
) -> None:
    lead = content.pop("lead")
    try:
        written = ArticleCreate.model_validate(content)
    except ValidationError:
        return
    shown = [
        picture(UUID(int=number + 1), written.headline if text else None, has_file=has_file)
        for number in range(3)
    ]
    body = [
        ResolvedImage(
            image_id=block.image_id,
            caption_id=None,
            image=shown[block.image_id.int - 1][0],
            caption=shown[block.image_id.int - 1][1],
        )
        if block.type == "image"
        else block
        for block in written.body
    ]
    image = None if lead is None else {**shown[lead][0].model_dump(), "caption": shown[lead][1]}
    whole = ArticleRead.model_validate(
        {
            **written.model_dump(exclude={"body"}),
            "body": body,
            "lead_image": image,
            "lead_image_id": image and image["id"],
            "id": uuid4(),
            "slug": "a-slug",
            "status": "draft",
            "scheduled_for": None,
            "first_published_at": None,
            "created_at": now(),
            "updated_at": now(),
            "version": 3,
            "corrections": [],
        }
    )
    item = read(Ninjs.model_validate_json(as_ninjs(whole).model_dump_json(exclude_none=True)))
    assert item.article_id == whole.id
    known = {
        "summary",
        "byline",
        "dateline",
        "section",
        "credit_line",
        "tags",
        "language",
        "source",
        "external_id",
        "usage_terms",
        "copyright_notice",
        "edition_note",
        "canonical_url",
        "published_at",
        "headline",
    }
    expected = {name: value for name in known if (value := getattr(written, name)) not in (None, [], "")}
    if written.authors:
        expected["authors"] = [author.model_dump() for author in written.authors]
    assert item.content == {**expected, "slug": "a-slug"}
    returned = [
        {"type": "image", "image_id": str(item.pictures[block.name].uri.removeprefix("urn:uuid:"))}
        if hasattr(block, "name")
        else block.model_dump()
        for block in item.blocks
    ]
    assert returned == [
        {"type": "image", "image_id": str(block.image_id)} if block.type == "image" else block.model_dump()
        for block in written.body
    ]
    assert (item.lead and item.pictures[item.lead].uri) == (image and image["id"].urn)
