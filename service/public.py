"""The settings that say how readers and caches reach this service, and what addresses they are given."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings


class PublicSettings(BaseSettings):
    """The addresses and names of the service as others see them."""

    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="the address under which readers reach this service; in development, where it listens",
    )
    media_url_public: str = Field(
        "",
        description="the address under which readers fetch pictures, such as a CDN's; unset: this service's own",
    )
    absolute_urls: bool = Field(
        False, description="true writes addresses whole in every answer, for front ends on another origin"
    )
    cache_keys: Literal["off", "surrogate-key", "cache-tag"] = Field(
        "off",
        description="the header in which public answers name keys, for a cache in front to drop them by: surrogate-key or"
        " cache-tag",
    )
    site_name: str = Field(
        "Copydesk", min_length=1, description="the publication's name, in feeds, sitemaps and structured data"
    )
    article_url: str = Field(
        "",
        description="where readers find an article, with {slug} or {id} in it; unset: on the pages of this service, or in its API",
    )
    web: Literal["on", "off"] = Field(
        "on", description="off removes the readers' pages: the front page, /read and /consent"
    )

    @field_validator("public_url", "media_url_public")
    @classmethod
    def whole_url(cls, value: str, info: ValidationInfo) -> str:
        """Keep scheme and host, without a slash at the end."""
        if not value and info.field_name == "media_url_public":
            return value
        parts = urlsplit(value)
        if parts.scheme in ("http", "https") and parts.netloc:
            return value.rstrip("/")
        raise ValueError("must be an http or https URL")

    @field_validator("article_url")
    @classmethod
    def names_an_article(cls, value: str) -> str:
        """Accept an address with a place for the article's slug or id."""
        parts = urlsplit(value)
        if not value or (
            parts.scheme in ("http", "https") and parts.netloc and ("{slug}" in value or "{id}" in value)
        ):
            return value
        raise ValueError("must be an http or https URL with {slug} or {id} in it")

    @property
    def media_base(self) -> str:
        """Return the prefix of the addresses of pictures: that of a CDN, of this service, or none."""
        return self.media_url_public or (self.public_url if self.absolute_urls else "")

    @property
    def address_base(self) -> str:
        """Return the prefix of all other addresses in answers: that of this service, or none."""
        return self.public_url if self.absolute_urls else ""
