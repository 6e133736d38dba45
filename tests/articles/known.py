"""Keep for each article, in a plain model of the store, all that decides what readers get."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Known:
    """One article, as the model has it."""

    id: str
    headline: str
    slug: str
    status: str
    version: int = 1
    trashed: bool = False
    embargoed: bool = False
    corrections: int = 0
    published_before: bool = False
    withdrawn_for: str | None = None
    old_slugs: frozenset[str] = field(default_factory=frozenset)
    public_slugs: frozenset[str] = field(default_factory=frozenset)

    @property
    def public(self) -> bool:
        return self.status == "published" and not self.trashed

    @property
    def seen(self) -> tuple[object, ...]:
        """Return what a reader gets of the article."""
        return (self.headline, self.slug, self.corrections, self.version) if self.public else (self.gone,)

    @property
    def gone(self) -> str | None:
        """Why it is not there any more, of what was once public."""
        if self.public or not self.published_before:
            return None
        return "withdrawn" if self.status == "withdrawn" else "deleted" if self.trashed else "unpublished"

    @property
    def reader_status(self) -> int:
        return 200 if self.public else 410 if self.gone in ("deleted", "withdrawn") else 404

    def status_under(self, slug: str) -> int:
        """A slug that it was given while nobody could see it tells readers nothing of it."""
        return self.reader_status if slug in self.public_slugs else 404
