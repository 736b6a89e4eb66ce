"""Examples of requests and responses in the OpenAPI document, by the class that describes them."""

from __future__ import annotations

from typing import Any

from django.utils import translation

from generation.error_codes import ErrorCode

SITE = "https://studio.example"
TASK_ID = "85f581d2-25a9-4dde-8299-f87b3c8e25ce"
TASK_URL = f"{SITE}/api/v1/tasks/{TASK_ID}"
MODEL = "LiuJuan20260223Zimage"
PROMPT = "a red paper umbrella in the rain"
SUBMITTED = 1_795_421_735.439

POSITION = {"position": 1, "eta_seconds": 0.0, "basis": "estimated", "reason": "in_line"}
PICTURE = {
    "index": 1,
    "width": 512,
    "height": 512,
    "seed": 7,
    "demo": False,
    "favourite": False,
    "url": f"{SITE}/pictures/{TASK_ID}/1/",
    "thumbnail_url": f"{SITE}/pictures/{TASK_ID}/1/thumbnail/",
    "settings_url": f"{TASK_URL}/pictures/1",
    "withheld": None,
}
SETTINGS = {
    **PICTURE,
    "task_url": TASK_URL,
    "bytes": 91_432,
    "format": "JPEG",
    "seconds": 4.1,
    "parameters": f"{PROMPT}\nSteps: 9, Seed: 7, Size: 512x512, Model: {MODEL}",
}
TASK = {
    "id": TASK_ID,
    "seq": 12,
    "status": "completed",
    "step": "completed",
    "progress": 100.0,
    "basis": "measured",
    "eta_seconds": None,
    "attempt": 1,
    "image": 1,
    "cancel_requested": None,
    "cancel_reason": None,
    "waiting": None,
    "error": None,
    "submitted_at": SUBMITTED,
    "claimed_at": 1_795_421_735.459,
    "ended_at": 1_795_421_739.639,
    "wait_seconds": 0.02,
    "run_seconds": 4.18,
    "queue": None,
    "settings": {
        "prompt": PROMPT,
        "negative_prompt": "",
        "model": MODEL,
        "size": "512x512",
        "n": 1,
        "steps": 9,
        "guidance": 0.0,
        "seed": 7,
    },
    "requested_seed": None,
    "parent": None,
    "created": SUBMITTED,
    "cancel_after": None,
    "pictures": [PICTURE],
    "urls": {
        "self": TASK_URL,
        "events": f"{TASK_URL}/events",
        "stream": f"{TASK_URL}/stream",
        "cancel": f"{TASK_URL}/cancel",
        "retry": f"{TASK_URL}/retry",
        "page": f"{SITE}/tasks/{TASK_ID}/",
    },
}
EVENT = {
    "type": "progress",
    "task_id": TASK_ID,
    "seq": 8,
    "kind": "progressed",
    "status": "running",
    "step": "generating",
    "message": "正在生成潜在表示",
    "progress": 46.2,
    "basis": "measured",
    "eta_seconds": 2.1,
    "attempt": 1,
    "image": 1,
    "details": {"fraction": 0.4444, "done": 4, "total": 9},
    "timestamp": SUBMITTED + 2.0,
}
LIMITS: dict[str, dict[str, Any]] = {
    "unfinished": {"limit": 500, "left": 499, "renews_at": None},
    "pictures": {"limit": 20, "left": 17, "renews_at": SUBMITTED + 40_000.0},
}
WEBHOOK_URL = f"{SITE}/api/v1/webhooks/0b8a2f6e-7d0c-4a53-9b8e-1f6f0c1d2e3f"
WEBHOOK = {
    "id": WEBHOOK_URL.rpartition("/")[2],
    "url": "https://hooks.example/liujuan",
    "events": ["task.image_stored"],
    "task": None,
    "enabled": True,
    "failing_since": None,
    "off_at": None,
    "created": SUBMITTED,
    "urls": {
        "self": WEBHOOK_URL,
        "deliveries": f"{WEBHOOK_URL}/deliveries",
        "test": f"{WEBHOOK_URL}/test",
    },
}
DELIVERY = {
    "id": 1,
    "message_id": f"msg_{TASK_ID}_12",
    "type": "task.completed",
    "task": TASK_ID,
    "seq": 12,
    "is_requested": False,
    "created": SUBMITTED + 5.0,
    "started_at": SUBMITTED + 5.0,
    "seconds": 0.12,
    "outcome": "delivered",
    "status": 204,
    "excerpt": "",
}
SHARED = "https://studio.example/shared/q3Vd0mW8/"
EXAMPLES: dict[str, Any] = {
    "SubmittedTask": {"prompt": PROMPT, "size": "512x512", "n": 1},
    "CreatedTask": TASK,
    "Task": TASK,
    "TaskList": {"tasks": [TASK], "next": "MTc5NTQyMTczNTQzOTAwMDo4NWY1ODFkMg=="},
    "Events": {"events": [EVENT], "more": False, "is_over": False},
    "CancelAnswer": {"answer": "requested"},
    "PictureSettings": SETTINGS,
    "AppealText": {"text": "It shows a mannequin in a museum, not a person."},
    "Favourite": {"favourite": True},
    "Link": {"url": SHARED, "expires": SUBMITTED + 604_800.0},
    "ModelList": {
        "models": [
            {
                "id": MODEL,
                "is_possible": True,
                "reason": "in_line",
                "replicas": 1,
                "seconds_per_step": 0.45,
                "wait": POSITION,
            }
        ]
    },
    "Me": {
        "username": "alice",
        "may_see_all": False,
        "limits": LIMITS,
        "token": {"name": "shop", "scope": "write", "created": SUBMITTED, "expires_at": None},
    },
    "WebhookFields": {"url": WEBHOOK["url"], "events": WEBHOOK["events"]},
    "WebhookChanges": {"enabled": False},
    "Webhook": WEBHOOK,
    "CreatedWebhook": {**WEBHOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    "WebhookList": {"webhooks": [WEBHOOK]},
    "Delivery": DELIVERY,
    "DeliveryList": {"deliveries": [DELIVERY], "next": None},
    "OpenAIRequest": {"prompt": PROMPT, "size": "512x512", "n": 1, "response_format": "url"},
    "OpenAIImages": {"created": int(SUBMITTED), "data": [{"url": f"{SHARED}1/"}]},
    "OpenAIModels": {
        "object": "list",
        "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "liujuan-studio"}],
    },
}
STREAM = f'id: 8\ndata: {{"type": "progress", "task_id": "{TASK_ID}", "seq": 8, …}}\n\n'
OPENAI_STREAM = 'event: image_generation.completed\ndata: {"b64_json": "…"}\n\n'
OPENAI_FAILURE = {
    "error": {
        "message": "The prompt is empty.",
        "type": "invalid_request_error",
        "param": "prompt",
        "code": ErrorCode.PROMPT_EMPTY.value,
    }
}

CODES = {
    400: ErrorCode.NOT_JSON,
    401: ErrorCode.NOT_SIGNED_IN,
    403: ErrorCode.SCOPE_MISSING,
    404: ErrorCode.NOT_FOUND,
    409: ErrorCode.NOT_ALLOWED_NOW,
    413: ErrorCode.TOO_LONG,
    422: ErrorCode.SIZE_INVALID,
    429: ErrorCode.LIMIT_REACHED,
    500: ErrorCode.INTERNAL_ERROR,
    503: ErrorCode.UNAVAILABLE,
}
"""A code of each status."""


def problem_example(status: int) -> dict[str, Any]:
    code = CODES[status]
    with translation.override("en"):
        title = str(code.label)
    problem: dict[str, Any] = {
        "type": f"urn:liujuan-studio:error:{code.value}",
        "title": title,
        "status": status,
        "code": code.value,
    }
    if status == 422:
        problem["field"] = "size"
    if status == 429:
        problem["limit"] = {"kind": "pictures", **LIMITS["pictures"], "left": 0}
    return problem
