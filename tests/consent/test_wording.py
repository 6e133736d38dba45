"""What the words of a banner are found to say, in many languages."""

import pytest

from service.consent.notices import wording
from service.consent.notices.defaults import BROWSEWRAP, HONEST
from service.consent.notices.findings import EXPLANATIONS, Finding, examine

BROWSEWRAPS = {
    "en": "If you keep reading you accept cookies and our terms of use. Turn cookies off in your browser settings.",
    "fr": "En continuant votre visite, vous acceptez les cookies et nos conditions générales. Réglez-les dans les paramètres de votre navigateur.",
    "de": "Wenn Sie weiter lesen, stimmen Sie Cookies und den Nutzungsbedingungen zu. Ändern lässt sich das in den Einstellungen des Browsers.",
    "es": "Si continúa leyendo, acepta las cookies y los términos de uso. Puede cambiarlo en la configuración del navegador.",
    "it": "Se prosegui la lettura accetti i cookie e i termini di utilizzo. Puoi modificare le impostazioni del browser.",
    "pt": "Ao continuar a leitura, aceita os cookies e os termos de uso. Pode alterar as definições do seu navegador.",
    "nl": "Door verder te gaan gaat u akkoord met cookies en de gebruiksvoorwaarden. Wijzig dit in de instellingen van uw browser.",
    "pl": "Kontynuując czytanie, akceptujesz pliki cookie i regulamin. Zmień ustawienia w przeglądarce.",
    "ru": "Продолжая чтение, вы соглашаетесь с файлами cookie и условиями использования. Измените настройки браузера.",
    "zh": "继续阅读即表示您接受Cookie和使用条款。您可以在浏览器中更改设置。",
    "ja": "サイトの利用を続けると、Cookieと利用規約に同意したことになります。ブラウザの設定で変更できます。",
    "ko": "계속 이용하시면 쿠키와 이용약관에 동의하는 것으로 간주됩니다. 브라우저 설정에서 변경할 수 있습니다.",
    "ar": "بمتابعة القراءة فإنك توافق على ملفات الارتباط وشروط الاستخدام. يمكنك تغيير إعدادات المتصفح.",
}
HONESTLY = {
    "en": "May we count what is read? Accept or reject: it is up to you. If you continue without accepting, nothing is counted. "
    "To continue reading, choose. Our terms of use are another matter.",
    "fr": "Vous pouvez accepter ou refuser la mesure d'audience. Vous pouvez continuer sans accepter.",
    "de": "Dürfen wir zählen, was gelesen wird? Sie können zustimmen oder ablehnen. Ohne Zustimmung geschieht nichts.",
    "es": "Puede aceptar o rechazar la medición. Puede continuar sin aceptar.",
    "ja": "計測に同意するか、拒否するかをお選びください。",
    "zh": "请选择同意或拒绝统计。不同意也可以继续阅读。",
}


@pytest.mark.parametrize("language", BROWSEWRAPS)
def test_going_on_taken_for_agreement_is_found(language: str) -> None:
    words = BROWSEWRAPS[language]
    assert wording.implied_by_browsing(words) is not None
    assert wording.bundled_with_terms(words) is not None
    assert wording.points_at_browser(words) is not None


@pytest.mark.parametrize("language", HONESTLY)
def test_an_honest_question_is_not_suspected(language: str) -> None:
    words = HONESTLY[language]
    assert wording.implied_by_browsing(words) is None
    assert wording.bundled_with_terms(words) is None
    assert wording.points_at_browser(words) is None


def test_a_finding_shows_its_sentence() -> None:
    words = "Welcome. By continuing you agree to cookies! Read our terms."
    assert wording.implied_by_browsing(words) == "By continuing you agree to cookies!"
    assert wording.bundled_with_terms(words) is None


def test_the_shipped_notices_are_what_they_are_said_to_be() -> None:
    assert examine(HONEST) == []
    assert [evidence.finding for evidence in examine(BROWSEWRAP)] == [
        "implied_by_browsing",
        "no_reject_action",
        "bundled_with_terms",
        "no_purposes",
        "browser_settings_only",
    ]


def test_every_finding_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Finding)
