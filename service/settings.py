"""Every setting that Copydesk reads from its environment, typed, documented, and refused when it is unsafe.

A setting `x` is read from `COPYDESK_X`, or from `.env` in the working directory. `.env.example` and
docs/operations/settings.md list them all; a test fails when one is missing there.
"""

import codecs
import os
import re
import secrets
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from service.public import Hosts, PublicSettings
from service.store_settings import StoreSettings
from service.tables import Language

Origins = Annotated[tuple[str, ...], NoDecode]


LEAST_LETTERS = 8
"""The fewest different characters of a secret. A random one of 32 has more, even in hexadecimal."""
LEAST_PREFIX = 2


class UnsafeSetting(ValueError):
    """A value that production must not run with."""


class Settings(PublicSettings, StoreSettings):
    """The settings of one running service. Lists are written with commas between their members."""

    model_config = SettingsConfigDict(
        env_prefix="COPYDESK_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses unsafe values and makes no secret of its own"
    )
    media_url: str = Field(
        "file:./var/media", description="where pictures are kept: file:directory or s3://bucket/prefix"
    )
    s3_endpoint: str | None = Field(
        None, description="address of an S3 store other than Amazon's; else AWS_ENDPOINT_URL"
    )
    s3_region: str | None = Field(None, description="region of the bucket; else AWS_REGION")
    s3_path_style: bool = Field(
        True, description="false puts the bucket's name into the host instead of the path"
    )
    s3_access_key_id: str | None = Field(
        None, description="else AWS_ACCESS_KEY_ID, or the role of the machine or container"
    )
    s3_secret_access_key: SecretStr | None = Field(None, description="else AWS_SECRET_ACCESS_KEY")
    secret_key: SecretStr | None = Field(
        None, description="at least 32 characters; made and kept in var/secret-key in development"
    )
    secret_key_previous: SecretStr | None = Field(
        None, description="the key before it: what was sealed with that can still be opened"
    )
    cors_origins: Origins = Field(("*",), description="origins whose pages may read the API; * for any")
    consent_origins: Origins = Field(
        (), description="origins beside the public URL's own whose pages may record consent"
    )
    consent_cookie_cross_site: bool = Field(
        False, description="true sets the subject cookie SameSite=None; Partitioned"
    )
    consent_rate_limit: int = Field(
        600,
        ge=1,
        description="public consent writes a minute from one IPv4 address or IPv6 /56, over all workers",
    )
    consent_retention_days: int = Field(
        1095, ge=30, description="days for which consent events are kept after they held last"
    )
    consent_country_header: str = Field(
        "",
        description=(
            "header in which a trusted proxy names the reader's country, such as CF-IPCountry; unset: no"
            " country is kept"
        ),
    )
    hsts_seconds: int = Field(
        0, ge=0, description="Strict-Transport-Security in every answer, in seconds; 0 sends none"
    )
    trusted_proxies: Hosts = Field((), description="addresses whose X-Forwarded-For is believed")
    language: Language = Field(
        "en", description="BCP 47 language of the house: the fallback for captions and notices"
    )
    embed_hosts: Hosts = Field(
        (
            "www.youtube.com",
            "player.vimeo.com",
            "open.spotify.com",
            "x.com",
            "twitter.com",
            "www.instagram.com",
            "www.facebook.com",
            "www.tiktok.com",
            "bsky.app",
        ),
        description="hosts an embed block may name",
    )
    public_max_age: int = Field(
        5, ge=0, description="seconds that browsers and edges may keep a public answer"
    )
    public_stale_while_revalidate: int = Field(
        60, ge=0, description="seconds more that they may show it while asking"
    )
    cache_bytes: int = Field(
        67_108_864, ge=0, description="memory for ready answers, per process; 0 for none"
    )
    answer_bytes: int = Field(
        8_388_608,
        ge=1_048_576,
        description="memory for answers that slow clients have not taken yet, per process",
    )
    connections: int = Field(10_000, ge=1, description="open connections, per process; more are answered 503")
    connections_per_address: int = Field(
        500,
        ge=1,
        description="of these from one IPv4 address or IPv6 /56; a trusted proxy may have all",
    )
    followers: int = Field(
        5_000, ge=1, description="streams of changes and waiting requests, per process; more are answered 503"
    )
    followers_per_address: int = Field(
        100, ge=1, description="of these from one IPv4 address or IPv6 /56, behind trusted proxies too"
    )
    follower_stalled_seconds: int = Field(
        900,
        ge=1,
        description=(
            "seconds for which something may wait for a follower before `/v1/followers` and the metrics call"
            " it stalled"
        ),
    )
    picture_expiring_seconds: int = Field(
        259_200,
        ge=1,
        description=(
            "seconds before a picture's `usable_until` at which webhooks with the notice `image.expiring` are"
            " told"
        ),
    )
    body_max_bytes: int = Field(2_097_152, ge=1024, description="largest JSON body")
    upload_max_bytes: int = Field(52_428_800, ge=1024, description="largest picture file")
    image_max_pixels: int = Field(120_000_000, ge=1, description="largest picture, width times height")
    picture_processes: int = Field(
        1, ge=1, le=16, description="processes that decode pictures, per serving process"
    )
    picture_memory: int = Field(600_000_000, ge=200_000_000, description="bytes that each of them may take")
    picture_seconds: float = Field(10.0, gt=0, description="seconds that one picture may take")
    picture_sandbox: Literal["require", "auto", "off"] = Field(
        "auto",
        description=(
            "walls around them (Landlock, seccomp): require refuses to serve where the kernel lacks one, auto"
            " does with those there are, off has none"
        ),
    )
    picture_queue: int = Field(
        100, ge=1, description="sizes of pictures that may wait to be made; more are answered 503"
    )
    picture_ahead: bool = Field(
        True, description="true makes the sizes of a picture as soon as it is public, before anyone asks"
    )
    picture_immutable: bool = Field(
        False,
        description=(
            "true: caches and browsers keep files of pictures for a year unasked, withdrawn ones too; else"
            " for a day"
        ),
    )
    picture_charset: str = Field(
        "windows-1252",
        description="character set of old photo metadata (IPTC-IIM) that declares none and is not UTF-8",
    )
    picture_credit_creator: bool = Field(
        True, description="true credits a picture that names no credit to whoever made it, by its by-line"
    )
    picture_keep_gps: bool = Field(
        False, description="true keeps where a picture was taken, for staff; readers never see it"
    )
    outbound_allow_loopback: bool = Field(
        False, description="true lets imports fetch from loopback addresses; refused in production"
    )
    outbound_max_bytes: int = Field(
        26_214_400, ge=1024, description="largest answer accepted from another host"
    )
    outbound_deadline: float = Field(20.0, gt=0, description="seconds for one fetch, redirects and all")
    tombstone_days: int = Field(
        90, ge=1, description="days for which removals are kept: the life of a cursor that stands still"
    )
    webhook_concurrency: int = Field(
        8,
        ge=0,
        le=64,
        description="webhooks sent to at once by one process; 0 leaves all to `copydesk webhooks work`",
    )
    webhook_log_days: int = Field(30, ge=1, description="days for which finished deliveries stay in the log")
    migrate_on_start: bool = Field(False, description="true migrates the database before serving")
    workers: int = Field(1, ge=1, le=64, description="processes that serve; more than one needs PostgreSQL")
    shutdown_delay: float = Field(
        0.0,
        ge=0,
        le=300,
        description=(
            "seconds for which /health/ready says 503 before the service stops: longer than a proxy takes"
            " to notice"
        ),
    )
    shutdown_grace: int = Field(20, ge=0, description="seconds that requests under way get at SIGTERM")
    metrics_token: SecretStr | None = Field(
        None,
        description=(
            "bearer token that /metrics needs, at least 16 characters; unset: open in development, closed in"
            " production"
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level that is logged"
    )
    log_format: Literal["json", "text", "console"] = Field(
        "json", description="json lines, or text for people (console is the same)"
    )

    @field_validator(
        "cors_origins", "consent_origins", "trusted_proxies", "embed_hosts", "purge_url", mode="before"
    )
    @classmethod
    def split_commas(cls, value: object) -> object:
        """Read `a, b` as two members."""
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("trusted_proxies")
    @classmethod
    def known_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Accept addresses and networks only."""
        for proxy in value:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(f"{proxy!r} is no address and no network") from None
        return value

    @field_validator("picture_charset")
    @classmethod
    def known_charset(cls, value: str) -> str:
        """Accept character sets that Python knows, under Python's own name."""
        try:
            "".encode(value)
        except (LookupError, UnicodeError):
            raise ValueError("must name a character set, such as windows-1251") from None
        return codecs.lookup(value).name

    @field_validator("media_url")
    @classmethod
    def known_media_store(cls, value: str) -> str:
        """Accept a folder or a bucket."""
        if re.fullmatch(r"file:.+|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?", value):
            return value
        raise ValueError("must be file:directory or s3://bucket/prefix")

    @field_validator(
        "s3_endpoint",
        "s3_region",
        "s3_access_key_id",
        "s3_secret_access_key",
        "secret_key_previous",
        "metrics_token",
        "purge_token",
        mode="before",
    )
    @classmethod
    def empty_is_unset(cls, value: object) -> object:
        """A variable that is there but empty is one that is not set."""
        return value or None

    @field_validator("s3_endpoint")
    @classmethod
    def web_endpoint(cls, value: str | None) -> str | None:
        """Accept http and https addresses without credentials."""
        if value is None or (re.fullmatch(r"https?://[^/@?#]+(/[^@?#]*)?", value)):
            return value
        raise ValueError("must be an http or https URL, without credentials")

    @model_validator(mode="after")
    def fit_for_its_environment(self) -> Self:
        """Refuse what would be unsafe in production, and several processes on SQLite."""
        if self.is_sqlite and (self.is_pooled or self.database_read_url):
            raise UnsafeSetting("COPYDESK_DATABASE_LISTEN_URL and COPYDESK_DATABASE_READ_URL need PostgreSQL")
        if self.workers > 1 and self.is_sqlite:
            raise UnsafeSetting("COPYDESK_WORKERS above 1 needs PostgreSQL: SQLite is served by one process")
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            raise UnsafeSetting("COPYDESK_S3_ACCESS_KEY_ID and COPYDESK_S3_SECRET_ACCESS_KEY go together")
        if self.secret_key is not None and len(self.secret_key.get_secret_value()) < 32:
            raise UnsafeSetting("COPYDESK_SECRET_KEY needs at least 32 characters")
        if self.metrics_token is not None and len(self.metrics_token.get_secret_value()) < 16:
            raise UnsafeSetting("COPYDESK_METRICS_TOKEN needs at least 16 characters")
        if self.environment == "production":
            self._refuse_unsafe()
        return self

    def _refuse_unsafe(self) -> None:
        if self.secret_key is None:
            raise UnsafeSetting("production needs COPYDESK_SECRET_KEY: `openssl rand -hex 32` makes one")
        if not self.public_url.startswith("https://"):
            raise UnsafeSetting("production needs an https COPYDESK_PUBLIC_URL: the consent cookie is Secure")
        if not {"*", "null"}.isdisjoint(self.consent_origins):
            raise UnsafeSetting(
                "production refuses * and null in COPYDESK_CONSENT_ORIGINS: every page could record consent "
                "and read what its reader decided"
            )
        if len(set(self.secret_key.get_secret_value())) < LEAST_LETTERS:
            raise UnsafeSetting(
                "production refuses a COPYDESK_SECRET_KEY of few different characters: `openssl rand -hex 32`"
                " makes one"
            )
        if any(ip_network(proxy, strict=False).prefixlen < LEAST_PREFIX for proxy in self.trusted_proxies):
            raise UnsafeSetting(
                "production refuses COPYDESK_TRUSTED_PROXIES with half of the internet: whoever asks could"
                " name any address"
            )
        endpoint = self.s3_endpoint or os.environ.get("AWS_ENDPOINT_URL", "")
        if not self.media_url.startswith("file:") and endpoint.startswith("http://"):
            raise UnsafeSetting("production refuses an http address of the S3 store")
        if self.purge_kind in ("fastly", "cloudflare") and any(
            url.startswith("http://") for url in self.purge_url
        ):
            raise UnsafeSetting(
                "production refuses an http COPYDESK_PURGE_URL: it would show the token to the network"
            )
        if self.mirror_token is not None and (self.mirror_of or "").startswith("http://"):
            raise UnsafeSetting("production refuses COPYDESK_MIRROR_TOKEN with an http COPYDESK_MIRROR_OF")
        if self.outbound_allow_loopback:
            raise UnsafeSetting("production refuses COPYDESK_OUTBOUND_ALLOW_LOOPBACK")

    @property
    def media_directory(self) -> Path:
        """Return the folder that `file:` names."""
        return Path(self.media_url.removeprefix("file:"))

    @cached_property
    def signing_key(self) -> bytes:
        """Return the secret as bytes; in development it is made once and kept beside the database."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        kept = Path("var/secret-key")
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_hex(32))
        return kept.read_text().encode()

    @property
    def opening_keys(self) -> tuple[bytes, ...]:
        """Return the keys that something may have been sealed with, the present one first."""
        previous = self.secret_key_previous
        older = () if previous is None else (previous.get_secret_value().encode(),)
        return (self.signing_key, *older)
