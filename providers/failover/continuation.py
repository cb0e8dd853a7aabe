"""How a second language model is asked to end what a first one began.

No assistant prefill: some services refuse it, others answer it from the start. The words so far
stand as the assistant's line, and a line in brackets asks for the rest. It is a line of the user,
since the chat templates of many models know no system line but the first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dialogue.ports import Message, ThinkRequest

GO_ON: Final = (
    "[The line above was cut off in transmission. Continue it: write only the words that come "
    "after its last word, in the same language. Repeat nothing, do not start over, do not mention "
    "this note.]"
)
_CHARS_A_TOKEN: Final = 4
_FEWEST_TOKENS: Final = 16


def continued(request: ThinkRequest, given: str) -> ThinkRequest:
    """The question for the rest of a reply.

    Args:
        request: The question that was asked first.
        given: What was said in answer to it.
    """
    lines = (Message("assistant", given.strip()), Message("user", GO_ON))
    most = request.max_tokens
    if most is not None:
        most = max(_FEWEST_TOKENS, most - len(given) // _CHARS_A_TOKEN)
    return replace(request, messages=(*request.messages, *lines), max_tokens=most)
