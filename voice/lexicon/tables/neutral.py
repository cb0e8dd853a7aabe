"""What callers say in any language, and recognisers write in any script."""

from __future__ import annotations

from voice.lexicon.table import Table

NEUTRAL = Table(
    tags="und",
    fillers="um umm uhm uh uhh er erm hm hmm mm mmm äh ähm öh öhm euh eh ehm",
    yes="ok okay",
    backchannels="mhm mm mmhmm mm_hmm mm_hm hmm uh_huh uhhuh aha ok okay hm",
    stops="stop",
)
