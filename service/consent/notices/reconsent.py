"""Decide which changes of a notice make its readers be asked again. Better wording is no reason."""

from collections.abc import Iterator

from service.consent.models import NoticeContent, Purpose


def reasons_to_ask_again(before: NoticeContent, after: NoticeContent) -> Iterator[str]:
    """Return the parts of a new version that its readers have not decided about: a purpose, a recipient,
    another controller.
    """
    known = {purpose.purpose_key: purpose for purpose in before.purposes}
    for purpose in after.purposes:
        old = known.get(purpose.purpose_key)
        if old is None:
            yield f"new_purpose:{purpose.purpose_key}"
        else:
            yield from (
                f"new_recipient:{purpose.purpose_key}:{service}" for service in _new_recipients(old, purpose)
            )
    if before.consent_model is not after.consent_model:
        yield f"new_consent_model:{after.consent_model}"
    if (
        before.controller is not None
        and after.controller is not None
        and before.controller.name != after.controller.name
    ):
        yield f"new_controller:{after.controller.name}"


def _new_recipients(before: Purpose, after: Purpose) -> list[str]:
    return [service for service in after.services if service not in before.services]
