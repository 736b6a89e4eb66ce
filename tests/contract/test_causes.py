"""Real error sentences of engines and servers, and the advice derived from them."""

from __future__ import annotations

import json

import pytest

from generation.error_codes import ErrorCode
from generation.xinference.known_errors import known_error
from generation.xinference.prompt_redaction import without_prompts

MEMORY = [
    "CUDA out of memory. Tried to allocate 2.25 GiB. GPU 0 has a total capacity of 23.65 GiB of "
    "which 1.06 GiB is free. Including non-PyTorch memory, this process has 22.58 GiB in use.",
    "[address=127.0.0.1:37503, pid=77] CUDA out of memory. Tried to allocate 512.00 MiB",
    *("torch.OutOfMemoryError: CUDA out of memory.", "torch.cuda.OutOfMemoryError"),
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
    "HIP out of memory. Tried to allocate 1.00 GiB (GPU 0; 15.98 GiB total capacity)",
    "hipErrorOutOfMemory",
    "MPS backend out of memory (MPS allocated: 17.98 GB, other allocations: 384.00 KB)",
    *("Invalid buffer size: 16.00 GB", "XPU out of memory. Tried to allocate 20.00 MiB"),
    "NPU out of memory. Tried to allocate 1.50 GiB (NPU 0; 60.97 GiB total capacity)",
    "[enforce fail at alloc_cpu.cpp:116] data. DefaultCPUAllocator: not enough memory: you tried "
    "to allocate 4294967296 bytes.",
    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 53687091200 bytes. "
    "Error code 12 (Cannot allocate memory)",
    "[Errno 12] Cannot allocate memory",
    "Unable to allocate 3.00 GiB for an array with shape (1, 16, 128, 128) and data type float32",
    *("MemoryError", "std::bad_alloc", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    "CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    *("cudaErrorMemoryAllocation: the API call failed", "cudaMalloc failed: out of memory"),
    "ggml_vulkan: Device memory allocation of size 1073741824 failed. ErrorOutOfDeviceMemory",
    "VK_ERROR_OUT_OF_DEVICE_MEMORY",
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8589934592 bytes.",
    "ResourceExhaustedError: OOM when allocating tensor with shape[1,4096,4096]",
    "Allocation on device 0 would exceed allowed memory. (out of memory)",
    "No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
    "Free memory on device (3.1/23.6 GiB) on startup is less than desired GPU memory utilization",
    "Not enough memory. Please try to increase --mem-fraction-static.",
    *("Insufficient GPU memory for this resolution", "not enough VRAM to decode 2048x2048"),
    *("The worker process was OOM killed", "显存不足，请降低分辨率"),
]
PROMPT = [
    *("Invalid prompt", "Invalid prompt: contains forbidden words"),
    *("Your request was rejected as a result of our safety system.", "content_policy_violation"),
    "This request violates our content policy.",
    "Potential NSFW content was detected in one or more images. Try again with a different prompt",
    *("The prompt was blocked by the content filter", "prompt rejected by moderation"),
    *("Input data may contain inappropriate content.", "DataInspectionFailed"),
    *("The prompt contains sensitive words", "The prompt is too long: 812 tokens"),
    *("unsafe prompt detected", "提示词包含敏感内容"),
]
SIZE = [
    "[address=127.0.0.1:50804, pid=11505] Height must be divisible by 16 (got 248). Please adjust "
    "the height to a multiple of 16.",
    "`height` and `width` have to be divisible by 8 but are 250 and 250.",
    "Width must be a multiple of 64",
    "height and width must be multiples of 32",
]


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        *((words, ErrorCode.OUT_OF_MEMORY) for words in MEMORY),
        *((words, ErrorCode.PROMPT_REFUSED) for words in PROMPT),
        *((words, ErrorCode.SIZE_REFUSED) for words in SIZE),
    ],
)
def test_a_well_known_sentence_has_a_code(status: int, words: str, code: ErrorCode) -> None:
    assert known_error(status, words) == code
    assert known_error(status, words.upper()) == code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("size must be one of 1024x1024, 1536x1024", ErrorCode.SIZE_REFUSED),
        ("Requested resolution is not supported", ErrorCode.SIZE_REFUSED),
        ("ensure this value is greater than or equal to 8: body -> width", ErrorCode.SIZE_REFUSED),
        ("total pixels exceed the limit of 4194304", ErrorCode.SIZE_REFUSED),
        ("aspect_ratio 8:1 is not supported", ErrorCode.SIZE_REFUSED),
        ("不支持的尺寸", ErrorCode.SIZE_REFUSED),
        ("body -> prompt: str type expected", ErrorCode.PROMPT_REFUSED),
        ("num_inference_steps must be at most 50", None),
        ("1 validation error", None),
        ("batch size must be 1", None),
        ("negative_prompt is not supported by this model", None),
    ],
)
def test_a_refusal_is_attributed_to_the_named_field(words: str, code: ErrorCode | None) -> None:
    assert known_error(400, words) == code


@pytest.mark.parametrize(
    "words",
    [
        "[address=127.0.0.1:1, pid=2] index 13 is out of bounds for dimension 0 with size 13",
        "The size of tensor a (64) must match the size of tensor b (32)",
        "hidden_size 3072 must be divisible by num_heads 24",
        "Expected all tensors to be on the same device, cuda:0 and cpu!",
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: device-side assert triggered",
        "Remote server 127.0.0.1:37503 closed: 0 bytes read on a total of 11 expected bytes",
        *("list index out of range", "Unsupported response format: png"),
        *("set_timesteps() got an unexpected keyword argument 'mu'", "Internal Server Error"),
        *("shared memory segment not found", "prompt_embeds and pooled_prompt_embeds differ", ""),
    ],
)
def test_other_messages_are_model_errors(words: str) -> None:
    assert known_error(500, words) is None


PROMPTS = [
    *("a heron in the reeds at dawn, ink on paper", "荷塘清晨，薄雾，远山", "cat"),
    *('"quotes" & <tags> \\ and\nnew lines', "CUDA out of memory"),
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(
    "quoted",
    [
        lambda prompt: f"Invalid prompt: {prompt}",
        lambda prompt: f"value is not allowed (input_value={prompt!r}, input_type=str)",
        lambda prompt: json.dumps([{"loc": ["body", "prompt"], "input": prompt}]),
        lambda prompt: json.dumps([{"input": prompt}], ensure_ascii=False),
        lambda prompt: str([{"loc": ("body", "prompt"), "input": prompt}]),
        lambda prompt: f"{prompt[:14]}...{prompt[-14:]} was refused",
    ],
)
def test_a_message_that_quotes_the_prompt_loses_it(prompt: str, quoted) -> None:
    words = quoted(prompt)
    kept = without_prompts(words, [prompt, ""])

    for form in (prompt, json.dumps(prompt)[1:-1], repr(prompt)[1:-1]):
        assert form not in kept
        assert not (len(form) > 14 and form[:14] in kept)
    assert len(kept) > 5


def test_a_prompt_about_memory_is_no_lack_of_it() -> None:
    words = without_prompts("Invalid prompt: CUDA out of memory", ["CUDA out of memory"])

    assert known_error(400, words) == ErrorCode.PROMPT_REFUSED


@pytest.mark.parametrize("prompt", ["", "   ", "a", "the of in"])
def test_words_of_the_server_stay_where_no_prompt_is_quoted(prompt: str) -> None:
    words = "Height must be divisible by 16 (got 250)."

    assert without_prompts(words, [prompt]) == words
