# mypy: disable-error-code="import-not-found"
"""Write a ZImagePipeline with random weights: the real pipeline's code, a few megabytes large.

python build_model.py DIRECTORY        (needs torch, diffusers, transformers)
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, ZImagePipeline
from diffusers.models.transformers.transformer_z_image import ZImageTransformer2DModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3Model

CHAT = "{% for m in messages %}{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}assistant\n"


def tokenizer() -> PreTrainedTokenizerFast:
    """One token for each byte: every prompt, Chinese too, can be encoded."""
    letters = ["<|pad|>", "<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    raw = Tokenizer(models.BPE(vocab={each: k for k, each in enumerate(letters)}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<|pad|>", eos_token="<|end|>", model_max_length=512
    )
    fast.chat_template = CHAT
    return fast


def text_encoder() -> Qwen3Model:
    config = Qwen3Config(
        vocab_size=2 + len(pre_tokenizers.ByteLevel.alphabet()),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=1024,
        pad_token_id=0,
        eos_token_id=1,
    )
    return Qwen3Model(config).eval()


def transformer() -> ZImageTransformer2DModel:
    model = ZImageTransformer2DModel(
        in_channels=16,
        dim=384,
        n_layers=4,
        n_refiner_layers=1,
        n_heads=12,
        n_kv_heads=12,
        cap_feat_dim=64,
        axes_dims=[8, 12, 12],
        axes_lens=[1536, 512, 512],
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "pad_token" in name:
                # torch.empty() left whatever was in memory there, NaN included
                parameter.normal_(std=0.02)
    return model.eval()


def decoder() -> AutoencoderKL:
    model = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        latent_channels=16,
        norm_num_groups=8,
        block_out_channels=(16, 16, 32, 32),
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    return model.eval()


def main() -> None:
    target = Path(sys.argv[1])
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    torch.manual_seed(0)
    pipeline = ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0),
        vae=decoder(),
        text_encoder=text_encoder(),
        tokenizer=tokenizer(),
        transformer=transformer(),
    )
    pipeline.save_pretrained(part)
    part.rename(target)


if __name__ == "__main__":
    main()
