"""Which words of the model server are logged, and which never are."""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from urllib.parse import quote, quote_plus

import pytest

from generation.exceptions import XinferenceFailed
from generation.loggable_text import redacted
from generation.outages import cause_of
from generation.xinference.operator_messages import reason_of_failure
from generation.xinference.responses import ServerResponse, error_of, progress_of

PROMPT = 'A Heron at dawn 柳岸 über dem See, "quoted"'
SPELLINGS = [
    *(PROMPT, PROMPT.upper(), unicodedata.normalize("NFD", PROMPT), repr(PROMPT.encode())),
    *(quote(PROMPT), quote(PROMPT).lower(), quote_plus(PROMPT), html.escape(PROMPT)),
    "".join(f"&#{ord(each)};" for each in PROMPT),
    *(json.dumps(json.dumps(PROMPT)), ",".join(PROMPT.split()), str(list(PROMPT.split()))),
    *(base64.b64encode(PROMPT.encode()).decode(), PROMPT.encode().decode("latin-1")),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("status", [200, 302, 400, 422, 500, 503])
def test_no_spelling_of_a_prompt_comes_into_the_log(spelling: str, status: int) -> None:
    body = json.dumps({"detail": f"Invalid prompt: {spelling}", "prompt": spelling}).encode()
    answer = ServerResponse(status=status, body=body, location=f"/x?prompt={quote(spelling)}")
    errors: list[Exception] = [error_of(answer)]
    with pytest.raises(XinferenceFailed) as caught:
        progress_of(answer)
    errors.append(caught.value)
    broken = RuntimeError(f"illegal header {spelling}")
    errors.append(XinferenceFailed(reason_of_failure(broken, "http://host:9997")))

    for error in errors:
        text = cause_of(error)
        assert spelling not in text
        assert "heron" not in text.lower()
        assert "柳" not in text


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("the deadline has passed", "the deadline has passed"),
        ("500 CUDA out of memory. Tried to allocate 2 GiB", "500 cuda out of memory; 43"),
        (
            "out_of_memory: 500 CUDA out of memory",
            "out_of_memory: 500 cuda out of memory; 18 characters",
        ),
        (
            "nothing listens at host:1: start it (ConnectError: All connection attempts failed)",
            "nothing listens at host:1: start it (ConnectError, all connection attempts failed; ",
        ),
        ("400 something about a heron", "400 words not logged; 23 characters"),
    ],
)
def test_sentences_of_ours_and_known_phrases_stay(text: str, logged: str) -> None:
    assert redacted(text).startswith(logged)
