"""The card of a candidate in the shadow, as leads read it, and its buttons; used by every platform."""

from bot.domain.report_posts import ShadowCard, ShadowExplanation
from bot.domain.shadow_card import EXPLAIN, KEEP, PROMOTE
from bot.locales import sentence
from bot.platforms.verdict_wording import verdict_reason


def shadow_card(content: ShadowCard, language: str) -> list[str]:
    """What the candidate would have done; then what was decided, if anything was."""
    figures = {"heard": content.heard, "differently": content.differently, "agreed": content.agreed}
    says = "shadow_card_over" if content.decided else "shadow_card"
    told = sentence(language, says, adapter=content.adapter, **figures)
    if not content.decided:
        return [told]
    by = content.by or sentence(language, "someone")
    return [told, sentence(language, f"shadow_card_{content.decided}", adapter=content.adapter, by=by)]


def shadow_buttons(content: ShadowCard, language: str) -> list[tuple[str, str]]:
    """(value, text) of each button; none once it is decided."""
    if content.decided:
        return []
    return [(value, sentence(language, f"shadow_{value}")) for value in (PROMOTE, KEEP, EXPLAIN)]


def shadow_explanation(content: ShadowExplanation, language: str) -> list[str]:
    """What the gate compared, then each of its reasons."""
    shares = {"right": f"{content.right:.1%}", "before": f"{content.right_before:.1%}"}
    told = sentence(language, "shadow_explained", adapter=content.adapter, messages=content.messages, **shares)
    return [told, *(verdict_reason(one, language) for one in content.reasons)]
