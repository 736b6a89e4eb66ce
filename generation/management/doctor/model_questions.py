"""The model servers: their lists, and with `--draw` a picture and an abort."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from generation import installation_id, services
from generation.choices import Route
from generation.exceptions import (
    PictureError,
    XinferenceAborted,
    XinferenceError,
    XinferenceKeyRefused,
    XinferenceUnreachable,
)
from generation.management.doctor.answers import Answer, Section, no, skipped, yes
from generation.models import ModelServer
from generation.shutdown import cancel_and_wait
from generation.xinference import (
    DrawRequest,
    ListedModel,
    ServedModel,
    ServerConnection,
    XinferenceClient,
    client_for,
)

DRAW_TIMEOUT = 180.0
"""Seconds for a small picture, behind others that the model draws."""

ABORT_TIMEOUT = 30.0
"""Seconds in which an aborted call ends; a worker waits as long."""

MIN_FRACTIONS = 2
SIDE, STEPS, LONG_STEPS = 512, 12, 100

REACHED = "Does the model server answer?"
KEY = "Does the model server accept the key?"
QUEUE = "Does its metrics port say how long its queue is?"
SERVED = "Is XINFERENCE_MODEL served and ready?"
PROGRESS = "Does a call report its progress in steps?"
ABORT = "Does an abort end a running call?"
OF_A_SERVER = (REACHED, KEY, QUEUE, PROGRESS, ABORT)

KEY_HINT = (
    "set the right key and restart the workers, or enter it in the admin; or repair it on the "
    "server, then manage.py ask_model_server"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedServer:
    """A server to ask; without a connection `problem` is why."""

    name: str
    connection: ServerConnection | None = None
    problem: str = ""
    key_refused: bool = False

    @property
    def url(self) -> str:
        return services.without_user(self.connection.url) if self.connection else ""


def ask_model_servers(*, draw: bool) -> Iterator[Answer]:
    """The answers about each enabled server, with its name if there are several."""
    servers = asked_servers()
    if not servers and services.uses_demo_model():
        why = "no model server is set: the demo model draws"
        yield from (skipped(each, why) for each in (*OF_A_SERVER, SERVED))
        return
    if not servers:
        hint = "enable a server in the admin below Model servers, or add one there"
        yield no(REACHED, "no model server is enabled", hint=hint, see=Section.WATCH)
        yield from map(unknown, (*OF_A_SERVER[1:], SERVED))
        return
    models: list[ServedModel] = []
    for server in servers:
        answers, served = asyncio.run(answers_of(server, draw=draw))
        models += served
        for answer in answers:
            question = f"{server.name}: {answer.question}" if len(servers) > 1 else answer.question
            yield replace(answer, question=question)
    yield is_model_ready(models)


def asked_servers() -> list[AskedServer]:
    """The enabled servers of the database, and those that the settings name before a worker ran."""
    rows = {row.name: row for row in services.model_servers()}
    named = {} if services.uses_demo_model() else services.named_servers()
    new = [AskedServer(name=name, connection=named[name]) for name in named.keys() - rows.keys()]
    enabled = [row for row in rows.values() if row.enabled and not row.is_demo]
    return sorted([*new, *map(asked_server, enabled)], key=lambda server: server.name)


def asked_server(row: ModelServer) -> AskedServer:
    try:
        connection = services.connection_of(row)
    except XinferenceError as error:
        return AskedServer(name=row.name, problem=error.detail)
    refused = services.is_refused_key(row)
    return AskedServer(name=row.name, connection=connection, key_refused=refused)


def key_refused(detail: str) -> Answer:
    return no(KEY, detail, hint=KEY_HINT, see=Section.WATCH)


def unreachable(detail: str) -> Answer:
    hint = "start Xinference; compare its URL; try curl from this host"
    return no(REACHED, detail, hint=hint, see=Section.WATCH)


async def answers_of(server: AskedServer, *, draw: bool) -> tuple[list[Answer], list[ServedModel]]:
    """What was found out, and the models that the server has."""
    if server.key_refused:
        # ten refusals in five minutes ban this address
        refused = key_refused("a worker was refused, and has stored it")
        left = [skipped(each, "the key is refused") for each in (QUEUE, PROGRESS, ABORT)]
        return [skipped(REACHED, "the key is not sent again"), refused, *left], []
    try:
        if server.connection is None:
            raise XinferenceUnreachable(server.problem)
        client = client_for(server.connection)
    except (XinferenceUnreachable, OSError) as error:
        reached = unreachable(error.detail if isinstance(error, XinferenceError) else str(error))
        return [reached, *map(unknown, OF_A_SERVER[1:])], []
    has_key = bool(server.connection.api_key)
    try:
        return await ask(client, url=server.url, has_key=has_key, draw=draw)
    finally:
        await client.aclose()


async def ask(
    client: XinferenceClient, *, url: str, has_key: bool, draw: bool
) -> tuple[list[Answer], list[ServedModel]]:
    try:
        listed = await client.listed(first=settings.XINFERENCE_MODEL)
        models = [await state_of(client, each) for each in listed]
    except XinferenceKeyRefused as error:
        return [yes(REACHED, url), key_refused(error.detail), *map(unknown, OF_A_SERVER[2:])], []
    except XinferenceError as error:
        return [unreachable(f"{url}: {error.detail}"), *map(unknown, OF_A_SERVER[1:])], []
    answers = [yes(REACHED, url), yes(KEY, "" if has_key else "it asks for none")]
    queue = await is_queue_known(client, models)
    return [*answers, queue, *await drawing(client, models, draw=draw)], models


async def is_queue_known(client: XinferenceClient, models: list[ServedModel]) -> Answer:
    """Workers send fewer calls while other programs use the server, if it says so."""
    if not client.knows_queue:
        return skipped(QUEUE, "the admin has no address of its metrics")
    hint = "compare the address with the metrics port in Xinference's log; try curl from this host"
    try:
        lengths = await client.queue_lengths()
    except XinferenceError as error:
        return no(QUEUE, error.detail, hint=hint, see=Section.SEVERAL_SERVERS)
    found = "; ".join(f"{each.name}: {lengths.get(each.name, 'not named')}" for each in models)
    if not any(each.name in lengths for each in models):
        return no(QUEUE, found, hint=hint, see=Section.SEVERAL_SERVERS)
    return yes(QUEUE, found)


async def drawing(
    client: XinferenceClient, models: list[ServedModel], *, draw: bool
) -> list[Answer]:
    name = settings.XINFERENCE_MODEL
    wanted = next((each for each in models if each.ready and each.name == name), None)
    if draw and wanted is not None:
        return [
            await is_progress_in_steps(client, wanted),
            await does_abort_end_a_call(client, wanted),
        ]
    why = f"{name} is not ready" if draw else "add --draw: this question draws"
    return [skipped(PROGRESS, why), skipped(ABORT, why)]


def unknown(question: str) -> Answer:
    return skipped(question, "the model server cannot be asked")


async def state_of(client: XinferenceClient, listed: ListedModel) -> ServedModel:
    try:
        return await client.served(listed)
    except XinferenceError as error:
        return client.unusable(listed, error)


def is_model_ready(models: list[ServedModel]) -> Answer:
    """On any server; with the route and the replicas of each model that is served."""
    found = "; ".join(map(description, models)) or "it serves no text-to-image model"
    name = settings.XINFERENCE_MODEL
    if not any(each.ready and each.name == name for each in models):
        hint = f"launch it in Xinference with the model UID {name}, or set XINFERENCE_MODEL"
        return no(SERVED, found, hint=hint, see=Section.WATCH)
    return yes(SERVED, found)


def description(model: ServedModel) -> str:
    if not model.ready:
        why = model.error_detail or ("it is loading" if model.loading else "not ready")
        return f"{model.name} ({why})"
    stops = "a cancel ends a call" if model.route == Route.TXT2IMG else "a cancel waits for a call"
    return f"{model.name} ({model.route.value}: {stops}; replicas: {model.replicas})"


def probe_request(steps: int) -> DrawRequest:
    return DrawRequest(
        request_id=str(installation_id.new_request_id()),
        prompt="a grey stone on white sand",
        negative_prompt="",
        width=SIDE,
        height=SIDE,
        steps=steps,
        guidance=0.0,
        seed=1,
    )


async def is_progress_in_steps(client: XinferenceClient, model: ServedModel) -> Answer:
    """A worker shows percent and remaining time from the fractions between begin and end."""
    request = probe_request(STEPS)
    fractions: set[float] = set()

    async def watch() -> None:
        async for fraction in client.watch(request.request_id):
            fractions.add(fraction)

    watching = asyncio.create_task(watch())
    try:
        async with asyncio.timeout(DRAW_TIMEOUT):
            await client.draw(model=model.name, route=model.route, request=request)
    except (XinferenceError, PictureError, TimeoutError) as error:
        hint = "read Xinference's log"
        return no(PROGRESS, f"no picture: {error!r}", hint=hint, see=Section.WATCH)
    finally:
        await cancel_and_wait(watching)
    between = [each for each in fractions if 0 < each < 1]
    found = f"{len(between)} fractions of {STEPS} denoising steps were seen"
    if len(between) < MIN_FRACTIONS:
        hint = "upgrade Xinference: its engine tells too little until the picture is ready"
        return no(PROGRESS, found, hint=hint, see=Section.WATCH)
    return yes(PROGRESS, found)


async def does_abort_end_a_call(
    client: XinferenceClient, model: ServedModel, patience: float = ABORT_TIMEOUT
) -> Answer:
    if model.route != Route.TXT2IMG:
        return skipped(ABORT, "an abort would break the next call of this engine")
    request = probe_request(LONG_STEPS)
    drawing = asyncio.create_task(client.draw(model=model.name, route=model.route, request=request))
    try:
        async with asyncio.timeout(DRAW_TIMEOUT):
            await begun(client, request.request_id, drawing)
            await client.abort(model=model.name, request_id=request.request_id)
        # not within a timeout, which would cancel the call itself
        await asyncio.wait({drawing}, timeout=patience)
        if drawing.done():
            drawing.result()
            found = "the picture was drawn to its end"
        else:
            found = f"the call went on for {patience:.1f} s"
    except XinferenceAborted:
        return yes(ABORT)
    except TimeoutError:
        found = f"no picture began within {DRAW_TIMEOUT:.0f} s"
    except (XinferenceError, PictureError) as error:
        found = repr(error)
    finally:
        await cancel_and_wait(drawing)
    return no(ABORT, found, hint="read Xinference's log", see=Section.WATCH)


async def begun(client: XinferenceClient, request_id: str, drawing: asyncio.Task[str]) -> None:
    """Wait until the model draws, or the call has ended."""

    async def watch() -> None:
        async for fraction in client.watch(request_id):
            if fraction > 0:
                return

    watching = asyncio.create_task(watch())
    try:
        ends: set[asyncio.Task[Any]] = {watching, drawing}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(watching)
