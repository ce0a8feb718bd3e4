#!/usr/bin/env python3
"""renamed_llama.py LLAMA_CASE OUT MODEL_TYPE CLASS FEATURES [KEY=JSON…]: a Llama case under the config of a family that computes the
same and whose own code is not part of transformers. The keys stand in place of attention_bias and mlp_bias.

    make_text.py /tmp/llama --cases tests/kit/golden/cases_decoders.py --only llama-attention-bias llama-all-biases
    renamed_llama.py /tmp/llama/llama-attention-bias tests/kit/golden/text/internlm internlm InternLMForCausalLM "gqa biases" bias=true
    renamed_llama.py /tmp/llama/llama-all-biases tests/kit/golden/text/internlm3 internlm3 InternLM3ForCausalLM "gqa biases" \
        bias=true qkv_bias=true
"""
import json
import shutil
import sys
from pathlib import Path

source, out, model_type, name, features = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:6]
shutil.copytree(source, out, dirs_exist_ok=True)
config = json.loads((out / "config.json").read_text())
for key in ("attention_bias", "mlp_bias"):
    config.pop(key, None)
config.update(model_type=model_type, architectures=[name], **{k: json.loads(v) for k, v in (a.split("=") for a in sys.argv[6:])})
(out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
golden = json.loads((out / "golden.json").read_text())
golden.update(case=out.name, model_type=model_type, features=features.split(), **{"class": name})
text = ",\n ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
(out / "golden.json").write_text("{\n " + text + "\n}\n")
