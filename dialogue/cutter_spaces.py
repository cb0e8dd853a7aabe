"""Where a space ends a clause: Thai, Lao and Khmer, which are written without spaces between words.

There a space is a pause of the voice, but for the ones around numbers and words of another script,
before a repetition mark (``อื่น ๆ``), and after a word that leans on the next one (``คุณ สมชาย``).
"""

from __future__ import annotations

from typing import Literal

# A space after one of these ends a sentence: polite particles.
_PARTICLES = {
    "th": ("ครับ", "ค่ะ", "คะ", "ค่า", "จ้ะ", "จ้า", "นะ", "ฮะ"),
    "lo": ("ເດີ້", "ເຈົ້າ", "ແດ່", "ບໍ", "ເນາະ", "ໂດຍ"),
    "km": ("បាទ", "ចាស", "ទេ", "ណា"),
}
# Never cut after one of these: the next word belongs to it.
_LEANING = {
    "th": (
        *(
            "กับ",
            "ที่",
            "คุณ",
            "เวลา",
            "วันที่",
            "ราคา",
            "คือ",
            "เป็น",
            "ของ",
            "และ",
            "หรือ",
            "จาก",
            "ถึง",
            "โดย",
        ),
        *("ใน", "บริษัท", "ถนน", "ซอย", "จังหวัด", "เบอร์", "หมายเลข", "รหัส"),
    ),
    "lo": ("ກັບ", "ທີ່", "ທ່ານ", "ເວລາ", "ລາຄາ", "ແມ່ນ", "ຂອງ", "ແລະ", "ຫຼື", "ຈາກ", "ເຖິງ", "ໃນ"),
    "km": ("និង", "ឬ", "នៃ", "ជាមួយ", "ពី", "ដល់", "នៅ", "គឺ", "ម៉ោង", "លោក"),
}
_REPETITION = frozenset("ๆฯໆៗ")
_SCRIPTS = {"th": ("\u0e00", "\u0e7f"), "lo": ("\u0e80", "\u0eff"), "km": ("\u1780", "\u17ff")}

Pause = Literal["none", "clause", "sentence"]


class SpaceReader:
    """Judges the spaces of one language.

    Args:
        language: Primary BCP-47 subtag.
    """

    def __init__(self, language: str) -> None:
        self._particles = _PARTICLES.get(language, ())
        self._leaning = _LEANING.get(language, ())
        self._low, self._high = _SCRIPTS.get(language, ("", ""))

    @property
    def is_needed(self) -> bool:
        """Whether spaces mean anything in this language."""
        return bool(self._low)

    def judge(self, before: str) -> Pause:
        """What a space after ``before`` may be; a clause only if ``may_follow`` comes next."""
        last = before[-1:]
        if not self._is_native(last) or before.endswith(self._leaning):
            return "none"
        return "sentence" if before.endswith(self._particles) else "clause"

    def may_follow(self, ch: str) -> bool:
        """Whether a clause may begin with this character: a letter of the language's own."""
        return self._is_native(ch) and ch not in _REPETITION

    def _is_native(self, ch: str) -> bool:
        return bool(ch) and self._low <= ch <= self._high and not ch.isdigit()
