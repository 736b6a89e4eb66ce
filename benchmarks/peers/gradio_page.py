"""A page that draws, in Gradio: a text box, a button, a picture, and Gradio's queue.

MODEL_URL is the model server, DATA_DIR the folder of pictures. The drawing function writes the file
as it came, because an image component would encode it again.
"""

from __future__ import annotations

import argparse
import base64
import os
import uuid
from pathlib import Path

import gradio as gr
import httpx

AT_ONCE = 64
FOLDER = Path(os.environ["DATA_DIR"])
model = httpx.AsyncClient(
    base_url=os.environ["MODEL_URL"],
    timeout=60,
    trust_env=False,
    limits=httpx.Limits(max_connections=None, keepalive_expiry=60),
)


async def draw(prompt: str, progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008
    """The path of the picture. Gradio recognises `progress` by its default value."""
    progress(0.33, desc="drawing")
    order = {"prompt": prompt, "width": 512, "height": 512, "steps": 9}
    answer = await model.post("/sdapi/v1/txt2img", json=order)
    progress(0.9, desc="storing")
    path = FOLDER / f"{uuid.uuid4().hex}.jpg"
    path.write_bytes(base64.b64decode(answer.raise_for_status().json()["images"][0]))
    return str(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    with gr.Blocks(analytics_enabled=False) as page:
        prompt = gr.Textbox(label="Prompt")
        picture = gr.Image(label="Picture")
        gr.Button("Draw").click(draw, prompt, picture, concurrency_limit=AT_ONCE, api_name="draw")
    page.queue().launch(
        server_name="127.0.0.1",
        server_port=options.port,
        allowed_paths=[str(FOLDER)],
        ssr_mode=False,
        quiet=True,
    )
