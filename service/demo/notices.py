"""The banner's words for readers of the sample news in French and in Chinese."""

from sqlmodel import select

from service.consent.models import Actions, ConsentNotice, NoticeTexts
from service.consent.notices import lifecycle as notices
from service.consent.notices.defaults import DEFAULT_KEY, HONEST
from service.consent.notices.lifecycle import NoticeCreate
from service.database import Session

_SAID = {
    "fr": (
        NoticeTexts(
            title="Votre choix en matière de cookies",
            body="Nous enregistrons peu de chose sur votre appareil pour que ce service fonctionne. Avec votre accord, nous"
            " retiendrions aussi vos préférences, mesurerions ce qui est lu et montrerions une publicité qui vous correspond."
            " C’est vous qui décidez, et vous pouvez changer d’avis ici à tout moment.",
            actions=Actions(accept_all="Accepter", reject_all="Refuser", save="Choisir"),
        ),
        {
            "necessary": ("Nécessaires", "Afficher les pages, protéger le service et retenir votre choix."),
            "preferences": (
                "Préférences",
                "Retenir votre région, la taille du texte et ce que vous aimez lire.",
            ),
            "analytics": (
                "Mesure d’audience",
                "Compter quels articles sont lus, pour mieux servir nos lecteurs.",
            ),
            "marketing": (
                "Publicité",
                "Montrer une publicité qui correspond à vos intérêts, ici et ailleurs.",
            ),
        },
    ),
    "zh-Hans": (
        NoticeTexts(
            title="您对Cookie的选择",
            body="为了让本服务正常运行，我们会在您的设备上存储少量信息。经您许可，我们还会记住您的偏好、统计阅读情况，并展示适合您的广告。"
            "由您决定，您可以随时在此更改。",
            actions=Actions(accept_all="接受", reject_all="拒绝", save="选择"),
        ),
        {
            "necessary": ("必要", "显示页面、保障服务安全，并记住您在此的选择。"),
            "preferences": ("偏好", "记住您的地区、文字大小和阅读喜好。"),
            "analytics": ("统计", "统计哪些报道被阅读，以便更好地服务读者。"),
            "marketing": ("广告", "在本站及其他地方展示符合您兴趣的广告。"),
        },
    ),
}


def publish(session: Session) -> None:
    """Publish the banner in each language that has none yet."""
    for language, (texts, purposes) in _SAID.items():
        known = select(ConsentNotice.id).where(
            ConsentNotice.notice_key == DEFAULT_KEY, ConsentNotice.language == language
        )
        if session.exec(known.limit(1)).first() is not None:
            continue
        said = [
            purpose.model_copy(
                update=dict(zip(("name", "description"), purposes[purpose.purpose_key], strict=True))
            )
            for purpose in HONEST.purposes
        ]
        content = {**HONEST.model_dump(), "language": language, "texts": texts, "purposes": said}
        notices.issue(session, NoticeCreate.model_validate(content))
