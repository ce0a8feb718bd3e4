#!/usr/bin/env python3
"""Make the golden cases of GGUF files: make_text.py draws a checkpoint and asks transformers, llama.cpp's own converter writes the file.

    make.py OUTDIR --make-text MAKE_TEXT.PY --llama-cpp DIR [--only CASE...]

DIR is llama.cpp's source folder (the sdist of llama-cpp-python holds it as vendor/llama.cpp). Each case gets model.gguf, golden.safetensors
(inputs in.*, transformers' outputs out.*) and golden.json. The checkpoints have no tokenizer, so the files have no vocabulary.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WITHOUT_VOCABULARY = """
import runpy, sys
sys.argv = sys.argv[1:]
sys.path[:0] = [sys.argv[0] + '/gguf-py', sys.argv[0]]
from conversion import base, bert, gpt2, phi
for model in (base.TextModel, bert.BertModel, phi.Phi3MiniModel):
    model.set_vocab = base.TextModel._set_vocab_none
for name in ('_set_vocab_gpt2', '_set_vocab_sentencepiece', '_set_vocab_llama_hf'):
    setattr(base.TextModel, name, base.TextModel._set_vocab_none)
sys.argv[0] += '/convert_hf_to_gguf.py'
runpy.run_path(sys.argv[0], run_name='__main__')
"""
TYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("outdir", type=Path)
    ap.add_argument("--make-text", type=Path, required=True)
    ap.add_argument("--llama-cpp", type=Path, required=True)
    ap.add_argument("--only", nargs="+")
    args = ap.parse_args()
    only = ["--only", *args.only] if args.only else []
    with tempfile.TemporaryDirectory() as folder:
        # Held-out cases have no hidden states: small files.
        subprocess.run([sys.executable, args.make_text, folder, "--cases", HERE / "cases.py", "--set", "heldout", *only], check=True)
        for source in sorted(Path(folder).iterdir()):
            # Gemma 3's converter counts the tokens of this file, and nothing else reads it.
            vocabulary = json.loads((source / "config.json").read_text())["vocab_size"]
            tokenizer = {"model": {"vocab": {str(i): i for i in range(vocabulary)}}, "added_tokens": []}
            (source / "tokenizer.json").write_text(json.dumps(tokenizer))
            stored = json.loads((source / "golden.json").read_text())["stored"]
            out = args.outdir / source.name
            out.mkdir(parents=True, exist_ok=True)
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
            subprocess.run([sys.executable, "-c", WITHOUT_VOCABULARY, args.llama_cpp, source, "--outfile", out / "model.gguf",
                            "--outtype", TYPES[stored]], check=True, env=environment)
            for name in ("golden.safetensors", "golden.json"):
                shutil.copyfile(source / name, out / name)


if __name__ == "__main__":
    main()
