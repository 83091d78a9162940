"""The aims for each set, and what others published about it."""

from dataclasses import dataclass

ACCURACY, AREA, LET_IN, CALIBRATION = "accuracy", "out-of-scope AUROC", "out-of-scope FPR at 95 %", "ECE"
_SMALL_IS_GOOD = frozenset({LET_IN, CALIBRATION})


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure of the whole system, as a share, and the value it should have."""

    set: str
    figure: str
    wanted: float
    part: str = ""

    def missed_by(self, found: float) -> float:
        """By how much the aim is missed; 0 or less: it is met."""
        return found - self.wanted if self.figure in _SMALL_IS_GOOD else self.wanted - found

    def in_words(self, share: float) -> str:
        """A share in this figure's usual notation."""
        return f"{share:.3f}" if self.figure == CALIBRATION else f"{share:.1%}"

    @property
    def sign(self) -> str:
        return "≤" if self.figure in _SMALL_IS_GOOD else "≥"


AIMS = (
    Aim("demo", ACCURACY, 0.98, "en"),
    Aim("demo", ACCURACY, 0.95, "pt"),
    Aim("demo", ACCURACY, 0.95, "es"),
    Aim("pt_portaria", ACCURACY, 0.97),
    Aim("es_biblioteca", ACCURACY, 0.84),
    Aim("banking77", ACCURACY, 0.948),
    Aim("banking77_10shot", ACCURACY, 0.89),
    Aim("banking77_teams", ACCURACY, 0.98),
    Aim("clinc150", ACCURACY, 0.97),
    Aim("clinc150", AREA, 0.98),
    Aim("clinc150", LET_IN, 0.08),
    Aim("msskills_from_english", ACCURACY, 0.85, "es"),
    Aim("msskills_from_english", ACCURACY, 0.87, "fr"),
    Aim("msskills_from_english", ACCURACY, 0.81, "de"),
)
CALIBRATED = 0.02
"""The aim for the expected calibration error on every set."""


def aims_of(name: str) -> list[Aim]:
    """The aims of a set, its calibration among them."""
    return [aim for aim in AIMS if aim.set == name] + [Aim(name, CALIBRATION, CALIBRATED)]


@dataclass(frozen=True, slots=True)
class Quoted:
    """A figure that others published, in per cent."""

    set: str
    system: str
    accuracy: str
    source: str


_FEW = "Zhang et al. 2021, “Few-Shot Intent Detection via Contrastive Pre-Training and Fine-Tuning” (CPFT)"
QUOTED = (
    Quoted("clinc150", "BERT, fine-tuned", "96.9", "Larson et al. 2019, “An Evaluation Dataset for Intent …”"),
    Quoted("clinc150", "the best of a leaderboard", "97.3", "DialoGLUE's listing"),
    Quoted("banking77", "BERT, fine-tuned", "92.6 to 93.5", "several papers"),
    Quoted("banking77", "Llama-3.2-1B, QLoRA", "90.2", "as reported; the report was not looked at again"),
    Quoted("banking77", "Qwen3-8B, QLoRA", "91.9", "as reported; the report was not looked at again"),
    Quoted("banking77_5shot", "CPFT", "80.9", _FEW),
    Quoted("banking77_10shot", "CPFT", "87.2", _FEW),
)
