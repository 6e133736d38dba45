"""The settings that say how readers and caches reach this service, and what addresses they are given."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

_KEYS_OF = {"varnish": "surrogate-key", "fastly": "surrogate-key", "cloudflare": "cache-tag"}
"""The header in which each kind of cache finds the keys; a plain URL is of a cache that finds either."""


Hosts = Annotated[tuple[str, ...], NoDecode]


class MirrorSettings(BaseSettings):
    """The store that this one mirrors, if it is a mirror."""

    mirror_of: str | None = Field(
        None,
        description=(
            "address of the store that this one mirrors, private ones too; `copydesk follow` sets it"
        ),
    )
    mirror_token: SecretStr | None = Field(
        None, description="token for the origin, by which it knows the mirror among its followers"
    )
    mirror_pictures: Literal["demand", "ahead"] = Field(
        "demand",
        description="demand gets a picture's file when it is asked for, ahead as soon as it is public",
    )
    mirror_check_seconds: int = Field(
        3_600, ge=1, description="seconds between two comparisons of a mirror with its origin's digest"
    )

    @field_validator("mirror_of", mode="before")
    @classmethod
    def known_origin(cls, value: object) -> object:
        """Accept an http or https address of a store, without credentials."""
        if value is None or value == "":
            return None
        parts = urlsplit(str(value))
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("must be an http or https URL, without credentials")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must be scheme and host alone")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("mirror_token", mode="before")
    @classmethod
    def empty_token_is_none(cls, value: object) -> object:
        """A variable that is there but empty is one that is not set."""
        return value or None


class PublicSettings(MirrorSettings):
    """The addresses and names of the service as others see them."""

    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="the address under which readers reach this service; in development, where it listens",
    )
    media_url_public: str = Field(
        "",
        description=(
            "the address under which readers fetch pictures, such as a CDN's; unset: this service's own"
        ),
    )
    absolute_urls: bool = Field(
        False, description="true writes addresses whole in every answer, for front ends on another origin"
    )
    cache_keys: Literal["off", "surrogate-key", "cache-tag"] = Field(
        "off",
        description=(
            "the header in which public answers name keys, for a cache in front to drop them by:"
            " surrogate-key or cache-tag"
        ),
    )
    purge_kind: Literal["off", "varnish", "fastly", "cloudflare", "url"] = Field(
        "off",
        description=(
            "the cache in front that is told to drop what has changed: varnish, fastly, cloudflare or a"
            " plain url"
        ),
    )
    purge_url: Hosts = Field(
        (),
        description=(
            "addresses to call for it, private ones too: each Varnish, https://api.fastly.com/service/ID,"
            " https://api.cloudflare.com/client/v4/zones/ID"
        ),
    )
    purge_token: SecretStr | None = Field(
        None, description="token for these calls: Fastly-Key at Fastly, else a bearer token"
    )
    purge_again: float = Field(
        5.0,
        ge=0,
        le=60,
        description=(
            "seconds after which the same is dropped again, because older answers may have been under way; 0"
            " for never"
        ),
    )
    site_name: str = Field(
        "Copydesk", min_length=1, description="the publication's name, in feeds, sitemaps and structured data"
    )
    article_url: str = Field(
        "",
        description=(
            "where readers find an article, with {slug} or {id} in it; unset: on the pages of this service,"
            " or in its API"
        ),
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

    @field_validator("purge_url")
    @classmethod
    def whole_purge_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Accept http and https addresses without credentials."""
        for url in value:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
                raise ValueError("must be http or https URLs, without credentials")
        return tuple(url.rstrip("/") for url in value)

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

    @model_validator(mode="after")
    def whole_purge(self) -> Self:
        """Refuse half of what purging needs."""
        kind = self.purge_kind
        if kind == "off":
            if self.purge_url or self.purge_token is not None:
                raise ValueError("COPYDESK_PURGE_URL and COPYDESK_PURGE_TOKEN need COPYDESK_PURGE_KIND")
            return self
        if not self.purge_url:
            raise ValueError("COPYDESK_PURGE_KIND needs COPYDESK_PURGE_URL")
        header = _KEYS_OF.get(kind, self.cache_keys)
        if self.cache_keys == "off" or self.cache_keys != header:
            wanted = "surrogate-key or cache-tag" if header == "off" else header
            raise ValueError(f"COPYDESK_PURGE_KIND={kind} needs COPYDESK_CACHE_KEYS={wanted}")
        if kind in ("fastly", "cloudflare") and self.purge_token is None:
            raise ValueError(f"COPYDESK_PURGE_KIND={kind} needs COPYDESK_PURGE_TOKEN")
        return self

    @property
    def media_base(self) -> str:
        """Return the prefix of the addresses of pictures: that of a CDN, of this service, or none."""
        return self.media_url_public or (self.public_url if self.absolute_urls else "")

    @property
    def address_base(self) -> str:
        """Return the prefix of all other addresses in answers: that of this service, or none."""
        return self.public_url if self.absolute_urls else ""
