"""A demo model server: the part of Xinference 4.1's HTTP surface that text-to-image needs.

It responds with the shapes, statuses and errors of the real server, also to bad input, and really
paints: from noise, in a separate process, in time proportional to pixels times steps. It needs only
numpy and Pillow, and daphne to run as a server.

    from demo_xinference.app import create_app

    app = create_app(replicas=2, speed=20)       # in this process: httpx.ASGITransport(app=app)
    await app.aclose()                           # ends its painting processes

    python -m demo_xinference --port 9997 --replicas 2 --speed 20 --faults faults.json

URLs: GET /v1/cluster/auth, /v1/models, /v1/models/{uid}, /v1/models/instances,
/v1/models/{uid}/replicas, /v1/requests/{id}/progress; POST /sdapi/v1/txt2img,
/v1/images/generations, /v1/models/{uid}/requests/{id}/abort.

Like the real server: each replica paints one picture at a time, first come first served, and
replicas take turns; a job outlives its request; an abort stops /sdapi/v1/txt2img within one step,
but on /v1/images/generations the work continues and breaks the next call; the progress of a killed
process stays frozen. Unlike it: /v1/images/generations accepts n=1 and "b64_json" only, and models
cannot be registered or launched.

`--journal FILE` writes one JSON line when a call arrives, when its work is over, and for an abort.

Faults are a list of objects (a JSON file for the server):

    {"do": "status", "status": 500, "detail": "CUDA out of memory", "match": {"call": 2}}

`match` may have `call` (the k-th generation call, from 1), `prompt_contains` and `steps` (the
number asked for); without it the fault applies to every call. `times` limits how often it applies,
`step` is the step after which it does (default 1), `seconds` its duration. `on` moves it from
generation calls to `progress`, `abort`, `models` or `replicas` (status, drop, hang, nonsense only).

| do | what happens |
|---|---|
| status | answers with `status`, `detail`, and `retry_after` where given |
| drop | drops the connection (in one process: an empty 500) after `step`; 0 = before the work |
| hang | never answers; no work is done |
| die | the painting process is killed after `step` |
| stall | the painting process stands still after `step` for `seconds`, whether aborted or not |
| hold | the same, but on /sdapi/v1/txt2img an abort ends it: a long call without computing time |
| slow | each step takes `seconds` longer, without computing time; an abort ends it as a hold |
| freeze_progress | progress stays at `step`; the picture is returned anyway |
| creep | progress rises by 0.0000001 with each poll, for `seconds`; then the work begins |
| delay_decode | progress stays at 1.0 for `seconds` before the answer |
| nonsense | 200 with an unusable body; `kind`: absurd bomb bytes deep empty html lists null |
| loading | the model loads for `seconds`: from this call on, or, without `match`, from the start |
| not_json, empty, not_base64, not_image, truncated, bomb, wrong_size | the response is corrupted |
| scans | the picture is a JPEG of 2,500 scans |
| tail | 64 KiB of other bytes follow the picture |
"""
