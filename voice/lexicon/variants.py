"""Characters by which Cantonese and Mandarin, written down as spoken, are told apart."""

from __future__ import annotations

CANTONESE_ONLY = frozenset("唔嘅喺咗冇哋佢嚟啲㗎噉咁咩乜嘢睇畀俾攞揾諗谂瞓嗰啱嘥喎囉吖𡃉嗌攰嬲枱")
MANDARIN_ONLY = frozenset("的是在了們们這这那嗎吗什麼么沒没她您哪兒儿很把給给吧看")
