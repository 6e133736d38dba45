"""Show an unpublished article to those who may see it. Its pictures have addresses of their own, because
readers' addresses of pictures answer 404 for pictures that are not public.
"""

from urllib.parse import urlsplit
from uuid import UUID

from service.articles.body import ResolvedImage, images_of
from service.articles.models import Article, ArticleRead
from service.database import Session
from service.errors import NotFound
from service.images import lifecycle as images
from service.images.media import over
from service.images.models import Image, Picture
from service.images.renditions import Negative, negative_of
from service.images.rights import hidden
from service.published.models import Reason


def shown_at(shape: ArticleRead, base: str) -> ArticleRead:
    """Return an article with its pictures at addresses that begin with `base`, as readers would see it."""
    lead = shape.lead_image and shape.lead_image.model_copy(update=_moved(shape.lead_image, base))
    body = [
        block.model_copy(update={"image": block.image.model_copy(update=_moved(block.image, base))})
        if isinstance(block, ResolvedImage) and block.image is not None
        else block
        for block in shape.body
    ]
    # An edition note is for the desks that receive the article, never for readers.
    return shape.model_copy(update={"lead_image": lead, "body": body, "edition_note": None})


def _moved(picture: Picture, base: str) -> dict[str, object]:
    # A CDN cannot have them: they may not be public yet.
    return {
        "renditions": [
            each.model_copy(update={"href": base + urlsplit(each.href).path}) for each in picture.renditions
        ]
    }


def image_in(session: Session, article: Article, image_id: UUID) -> Image:
    """Return a picture that stands in an article. Raises NotFound."""
    if image_id not in {*images_of(article.body), article.lead_image_id}:
        raise NotFound("There is no such file.")
    return images.get(session, image_id)


def negative_in(image: Image) -> Negative:
    """Return what the files of a picture are made from. Raises NotFound, Withdrawn and Expired."""
    why = hidden(image)
    if why is not None and why[0] is not Reason.UNPUBLISHED:
        raise over(*why)
    negative = negative_of(image)
    if negative is None:
        raise NotFound("There is no such file.")
    return negative
