#!/usr/bin/env python3
"""internlm2_from_llama.py LLAMA_CASE OUT: a Llama case under InternLM 2's names, whose own code is not part of transformers.

InternLM 2 computes what Llama does; its files hold one tensor for queries, keys and values, by key-value head: the queries of
the head's group, its key, its value. The reference outputs stay those of the Llama case.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

source, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True)
config = json.loads((source / "config.json").read_text())
heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
head_dim, group = config["hidden_size"] // heads, heads // kv_heads
NAMES = {"self_attn.o_proj": "attention.wo", "mlp.gate_proj": "feed_forward.w1", "mlp.up_proj": "feed_forward.w3",
         "mlp.down_proj": "feed_forward.w2", "post_attention_layernorm": "ffn_norm", "input_layernorm": "attention_norm",
         "model.embed_tokens": "model.tok_embeddings", "lm_head": "output"}
weights, fused = load_file(source / "model.safetensors"), {}
for name, tensor in weights.items():
    for ours, theirs in NAMES.items():
        name = name.replace(ours, theirs)
    if "self_attn" not in name:
        fused[name] = tensor
for i in range(config["num_hidden_layers"]):
    q, k, v = (weights[f"model.layers.{i}.self_attn.{p}_proj.weight"] for p in "qkv")
    parts = [q.view(kv_heads, group, head_dim, -1), k.view(kv_heads, 1, head_dim, -1), v.view(kv_heads, 1, head_dim, -1)]
    fused[f"model.layers.{i}.attention.wqkv.weight"] = torch.cat(parts, 1).flatten(0, 2).contiguous()
save_file(fused, out / "model.safetensors", metadata={"format": "pt"})
config.update(model_type="internlm2", architectures=["InternLM2ForCausalLM"], bias=False,
              auto_map={"AutoModelForCausalLM": "modeling_internlm2.InternLM2ForCausalLM"})
(out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
golden = json.loads((source / "golden.json").read_text())
golden.update(case="internlm2", model_type="internlm2", **{"class": "InternLM2ForCausalLM"},
              features=["gqa", "fused-qkv-grouped", "rope:dynamic"])
text = ",\n ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
(out / "golden.json").write_text("{\n " + text + "\n}\n")
for name in ("golden.safetensors", "generation_config.json"):
    (out / name).write_bytes((source / name).read_bytes())
