"""What Google's speech services have to be told: frozen records, read from nowhere.

The composition root fills these from the environment; the comment names the variable that a person
would set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GOOGLE_PROJECT: Final = "GOOGLE_CLOUD_PROJECT"
GOOGLE_CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"
GOOGLE_SPEECH_ENDPOINT: Final = "GOOGLE_SPEECH_ENDPOINT"
GOOGLE_SPEECH_LOCATION: Final = "GOOGLE_SPEECH_LOCATION"
GOOGLE_SPEECH_MODEL: Final = "GOOGLE_SPEECH_MODEL"
GOOGLE_STREAMS: Final = "CALLCLUSTER_GOOGLE_STREAMS_PER_PROCESS"
GOOGLE_TTS_ENDPOINT: Final = "GOOGLE_TTS_ENDPOINT"
GOOGLE_TTS_LOCATION: Final = "GOOGLE_TTS_LOCATION"


@dataclass(frozen=True, slots=True)
class GoogleSpeechConfig:
    """Google Cloud Speech-to-Text, version 2.

    Attributes:
        project: Id of the Google Cloud project that pays (GOOGLE_CLOUD_PROJECT).
        credentials: Path of a key file (GOOGLE_APPLICATION_CREDENTIALS); empty: what the machine
            has, such as the metadata server of a virtual machine of Google's.
        endpoint: ``http://`` address of an emulator, which is asked without credentials, or
            ``https://`` address in the place of the location's (GOOGLE_SPEECH_ENDPOINT).
        location: Such as ``global``, ``eu`` or ``europe-west4``; decides which models there are
            (GOOGLE_SPEECH_LOCATION).
        model: GOOGLE_SPEECH_MODEL; empty for that of ``providers.models``.
        max_streams: In this process (CALLCLUSTER_GOOGLE_STREAMS_PER_PROCESS); each counts against
            the project's quota.
        connect_timeout_s: For TCP and TLS; and as much again for the first answer when warming.
        reopen_after_s: Age at which a stream is replaced at the next pause.
        reopen_latest_s: Age at which it is replaced in the middle of a phrase: the service ends a
            stream after five minutes.
        replay_s: How much audio is kept to be said again to another stream.
    """

    project: str = ""
    credentials: str = ""
    endpoint: str = ""
    location: str = "global"
    model: str = ""
    max_streams: int = 100
    connect_timeout_s: float = 3.0
    reopen_after_s: float = 240.0
    reopen_latest_s: float = 285.0
    replay_s: float = 8.0


@dataclass(frozen=True, slots=True)
class GoogleTtsConfig:
    """Google Cloud Text-to-Speech.

    Attributes:
        project: Id of the Google Cloud project that pays (GOOGLE_CLOUD_PROJECT).
        credentials: As for ``GoogleSpeechConfig``.
        endpoint: Likewise (GOOGLE_TTS_ENDPOINT).
        location: ``global``, ``us``, ``eu`` and so on (GOOGLE_TTS_LOCATION).
        connect_timeout_s: For TCP and TLS.
        first_byte_timeout_s: From the request to the first audio.
        stall_timeout_s: Between two pieces of audio.
    """

    project: str = ""
    credentials: str = ""
    endpoint: str = ""
    location: str = "global"
    connect_timeout_s: float = 3.0
    first_byte_timeout_s: float = 3.0
    stall_timeout_s: float = 3.0
