"""Find the cookie banner of a page, told from the article by its subject, by the reader whom it addresses,
and by its buttons.
"""

import re
from dataclasses import dataclass

from service.newspages.banner_words import ACCEPT, ASKING, PERSON, REJECT, SETTINGS, SUBJECT
from service.newspages.page import Banner
from service.newspages.text import is_prose, words

_LONGEST_REGION = 10


@dataclass(frozen=True, slots=True)
class _Buttons:
    accept: str | None = None
    reject: str | None = None
    settings: str | None = None


def take_banner(lines: list[str]) -> tuple[Banner | None, list[str]]:
    """Return the banner that stands among the lines, and the lines without it.

    With an accepting button beneath it a banner may stand anywhere; without one only at either end, and only
    when it names cookies, addresses the reader and asks for something.
    """
    for start, line in enumerate(lines):
        if not SUBJECT.search(line) and not _opens(lines, start):
            continue
        stop = _end(lines, start)
        if stop is not None:
            return _read(lines[start:stop]), lines[:start] + lines[stop:]
    return None, lines


def _opens(lines: list[str], start: int) -> bool:
    """Return whether a first line opens a banner without naming the subject: a title, or a body ("By
    continuing, you agree to our terms").
    """
    follows = lines[start + 1 : start + 2]
    return start == 0 and words(lines[0]) <= 8 and bool(follows) and _asks(follows[0])


def _asks(line: str) -> bool:
    return all(sign.search(line) for sign in (SUBJECT, PERSON, ASKING))


def _end(lines: list[str], start: int) -> int | None:
    """Return where the banner that begins at `start` ends, or None when none begins there."""
    window = lines[start : start + _LONGEST_REGION]
    body = 0
    while body < len(window) and not _is_button(window[body]):
        if body and not (SUBJECT.search(window[body]) or PERSON.search(window[body])):
            break
        body += 1
    buttons = body
    while buttons < len(window) and _is_button(window[buttons]):
        buttons += 1
    addressed = any(SUBJECT.search(line) and PERSON.search(line) for line in window[:body])
    if not addressed or sum(map(len, window[:body])) > 3000:
        return None
    if any(map(ACCEPT.fullmatch, map(_bare, window[body:buttons]))):
        return start + buttons
    return _end_without_button(lines, start)


def _end_without_button(lines: list[str], start: int) -> int | None:
    stop = start
    while stop < len(lines) and SUBJECT.search(lines[stop]) and stop - start < _LONGEST_REGION:
        stop += 1
    certain = any(
        "cookie" in line.casefold() and is_prose(line) and _asks(line) for line in lines[start:stop]
    )
    at_an_end = start == 0 or stop == len(lines)
    return stop if certain and at_an_end and stop < start + 4 else None


def _bare(line: str) -> str:
    return line.strip(" .!»›×✕[]→。！")


def _is_button(line: str) -> bool:
    label = _bare(line)
    if words(label) > 8 or len(label) > 60:
        return False
    return any(kind.fullmatch(label) for kind in (ACCEPT, REJECT, SETTINGS))


def _read(region: list[str]) -> Banner:
    texts = [line for line in region if not _is_button(line)]
    titled = len(texts) > 1 and not is_prose(texts[0]) and words(texts[0]) <= 14
    buttons = _buttons([line for line in region if _is_button(line)])
    return Banner(
        title=texts[0] if titled else None,
        body="\n".join(texts[1:] if titled else texts),
        accept_label=buttons.accept,
        reject_label=buttons.reject,
        settings_label=buttons.settings,
    )


def _buttons(labels: list[str]) -> _Buttons:
    def first(kind: re.Pattern[str]) -> str | None:
        return next((label for label in labels if kind.fullmatch(_bare(label))), None)

    reject = first(REJECT)
    accept = next((label for label in labels if label != reject and ACCEPT.fullmatch(_bare(label))), None)
    return _Buttons(accept=accept, reject=reject, settings=first(SETTINGS))
