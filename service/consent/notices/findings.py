"""Find the reasons why a notice cannot carry consent, in its model, its buttons, its purposes and its words.
Each finding is explained.

The measure is the GDPR's (articles 4(11) and 7, recitals 32, 42 and 43) as the guidelines of the European
Data Protection Board read it: freely given, specific, informed, by a clear affirmative act, and as easy to
refuse as to give.
"""

import enum
from dataclasses import dataclass

from service.consent.models import ConsentModel, NoticeContent
from service.consent.notices import wording


class Finding(enum.StrEnum):
    """A reason for which a decision on a notice is not valid consent."""

    IMPLIED_BY_BROWSING = "implied_by_browsing"
    NO_ACCEPT_ACTION = "no_accept_action"
    NO_REJECT_ACTION = "no_reject_action"
    BUNDLED_WITH_TERMS = "bundled_with_terms"
    NO_PURPOSES = "no_purposes"
    BROWSER_SETTINGS_ONLY = "browser_settings_only"
    PREGRANTED_PURPOSE = "pregranted_purpose"
    NOT_ASKED_FIRST = "not_asked_first"


EXPLANATIONS = {
    Finding.IMPLIED_BY_BROWSING: (
        "Going on browsing is taken for agreement. Consent needs a clear act of its own; silence or going on"
        " is none."
    ),
    Finding.NO_ACCEPT_ACTION: "There is no button that accepts, so nothing on this layer can give consent.",
    Finding.NO_REJECT_ACTION: (
        "There is no button on the first layer that refuses. Refusing must be as easy as agreeing."
    ),
    Finding.BUNDLED_WITH_TERMS: (
        "One act agrees to data use and to terms or policies together. Consent must be asked for apart from"
        " other matters."
    ),
    Finding.NO_PURPOSES: (
        "No purpose is named, so a reader cannot know, or choose, what an agreement would be to."
    ),
    Finding.BROWSER_SETTINGS_ONLY: (
        "Readers are sent to their browser's settings in place of a choice. The notice itself must offer one."
    ),
    Finding.PREGRANTED_PURPOSE: (
        "An optional purpose is shown as granted before the reader has done anything. Boxes ticked beforehand"
        " are no consent."
    ),
    Finding.NOT_ASKED_FIRST: (
        "Readers are taken to agree until they object. Consent comes before anything optional happens."
    ),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A finding, the JSON pointer to where it is in the notice, and the sentence or purpose that shows it,
    where there is one.
    """

    finding: Finding
    pointer: str
    found_in: str | None = None

    def explained(self) -> str:
        """Return the finding in words."""
        where = "" if self.found_in is None else f" Found in: {self.found_in}"
        return f"{self.finding}: {EXPLANATIONS[self.finding]}{where}"


def examine(notice: NoticeContent) -> list[Evidence]:
    """Find everything that keeps a notice from carrying consent; nothing found means that it can."""
    order = list(Finding)
    found = [*_in_words(notice), *_in_actions(notice), *_in_purposes(notice)]
    return sorted(found, key=lambda evidence: order.index(evidence.finding))


def _in_words(notice: NoticeContent) -> list[Evidence]:
    texts = notice.texts
    labels = (texts.actions.accept_all, texts.actions.save, texts.actions.acknowledge)
    words = "\n".join(part for part in (texts.title, texts.body, *labels) if part)
    refusable = texts.actions.reject_all is not None or texts.actions.save is not None
    asked = (
        (Finding.IMPLIED_BY_BROWSING, wording.implied_by_browsing(words)),
        (Finding.BUNDLED_WITH_TERMS, wording.bundled_with_terms(words)),
        (Finding.BROWSER_SETTINGS_ONLY, None if refusable else wording.points_at_browser(words)),
    )
    return [Evidence(finding, "/texts", sentence) for finding, sentence in asked if sentence is not None]


def _in_actions(notice: NoticeContent) -> list[Evidence]:
    actions = notice.texts.actions
    opt_in, opt_out = (notice.consent_model is model for model in (ConsentModel.OPT_IN, ConsentModel.OPT_OUT))
    lacking = (
        (Finding.NO_ACCEPT_ACTION, "/texts/actions/accept_all", opt_in and actions.accept_all is None),
        (Finding.NO_REJECT_ACTION, "/texts/actions/reject_all", actions.reject_all is None),
        (Finding.NOT_ASKED_FIRST, "/consent_model", opt_out),
    )
    return [Evidence(finding, pointer) for finding, pointer, lacks in lacking if lacks]


def _in_purposes(notice: NoticeContent) -> list[Evidence]:
    if not notice.purposes:
        return [Evidence(Finding.NO_PURPOSES, "/purposes")]
    for place, purpose in enumerate(notice.purposes):
        if purpose.pregranted and not purpose.required:
            return [
                Evidence(Finding.PREGRANTED_PURPOSE, f"/purposes/{place}/pregranted", purpose.purpose_key)
            ]
    return []
