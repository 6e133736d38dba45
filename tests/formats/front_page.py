"""A small publication to read feeds of: an article with its picture, caption and credit."""

from typing import Any

import httpx

from tests.articles.newsroom import Article, published
from tests.images.pictures import make_caption, make_image


def illustrated(editor: httpx.Client, **members: Any) -> Article:
    """A published article with a picture that has a caption."""
    image = make_image(editor, credit_line="Ana Lind / Harbour Press")
    make_caption(
        editor, image, text="The swing bridge at first light.", alt_text="A low bridge over calm water"
    )
    body = [
        {"type": "paragraph", "html": "Trams <em>cross</em> again &amp; again."},
        {"type": "image", "image_id": image["id"]},
    ]
    known = {
        "headline": "Bridge reopens",
        "summary": "After a winter of repairs.",
        "lead_image_id": image["id"],
        "body": body,
    }
    return published(editor, **known | members)
