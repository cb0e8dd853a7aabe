"""The name of a clip: who says what, in which voice and form."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """Everything that decides how a clip sounds.

    Attributes:
        tenant_id: Whose clip it is; tenants never share one, however alike they sound.
        provider: Short name, such as ``elevenlabs``.
        model: What it speaks with, as far as that is settings.
        language: BCP-47 tag.
        text: Exactly as it is spoken: the marks of the clip count its characters.
        audio_format: Such as ``ulaw_8000``.
    """

    tenant_id: str
    provider: str
    model: str
    voice: str
    language: str
    text: str
    audio_format: str = "ulaw_8000"


def clip_key(spec: ClipSpec) -> bytes:
    """16 bytes (BLAKE2b) that are the same in every process.

    Each field is preceded by its length, so that no two specs run together into the same bytes.
    """
    digest = blake2b(digest_size=KEY_BYTES, person=b"callcluster-clip")
    for field in (
        spec.tenant_id,
        spec.provider,
        spec.model,
        spec.voice,
        spec.language.lower(),
        spec.audio_format,
        spec.text,
    ):
        encoded = field.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()
