"""Leave out of an article's units what is said once more as a fact: byline, credit, date, the headline, and
labels.
"""

from service.newspages.bylines import byline_names, cut_story_credit, sign_off, story_credit
from service.newspages.dates import date_line
from service.newspages.furniture import is_label, is_legal
from service.newspages.outline import Unit
from service.newspages.text import key, words

_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})


class Story:
    """The units that stay, and the byline and the credits that stood among them in the page's own words."""

    def __init__(self, units: list[Unit], headline: str) -> None:
        self.byline: str | None = None
        self.credits: list[str] = []
        self.units: list[Unit] = []
        self._seen = {key(headline)}
        for unit in units:
            if not unit.is_text or self._keeps(unit):
                self.units.append(unit)
        self.sign_off = self._take_sign_off()
        while self.units and self.units[-1].is_text and self.units[-1].block.tag in _HEADINGS:
            self.units.pop()

    def _take_sign_off(self) -> str | None:
        """Take the initials that stand alone beneath the last paragraph."""
        last = self.units[-1] if self.units else None
        found = sign_off(last.text) if last is not None and last.is_text else None
        if found:
            self.units.pop()
        return found

    @property
    def texts(self) -> list[str]:
        """Return the text of every unit that has some."""
        return [unit.text for unit in self.units if unit.is_text]

    def _keeps(self, unit: Unit) -> bool:
        same = key(unit.text)
        if same in self._seen or self._is_fact(unit) or is_label(unit.text) or is_legal(unit.text):
            return False
        if words(unit.text) > 7:
            self._seen.add(same)
        unit.html, credit = cut_story_credit(unit.html)
        self.credits += [credit] if credit else []
        return True

    def _is_fact(self, unit: Unit) -> bool:
        credit = story_credit(unit.text)
        self.credits += [credit] if credit else []
        early = len(self.texts) < 2
        if early and not self.byline and byline_names(unit.text):
            self.byline = unit.text
            return True
        return bool(credit or (early and date_line(unit.text)))
