#!/usr/bin/env python3
"""Braid against an installed PyTorch on this CPU: BERT-base and GPT-2 shapes in fp32, the same threads, in turn.

    python3 bench/pytorch.py [--braid build/braid] [--threads 2] [--rounds 7] [--compile] [--save FILE]

Both sides compute with random weights of the same shapes: `braid bench --exact --weights f32 --random-weights 1`, and
transformers' model under torch.inference_mode with scaled_dot_product_attention (with --compile also under
torch.compile; the faster of the two counts). A round is one measurement of each side, so that a noisy neighbour hits
both; medians of the rounds make the table. Needs torch and transformers.
"""

import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time

import torch
import transformers

BERT = {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 768, "num_attention_heads": 12,
        "num_hidden_layers": 12, "intermediate_size": 3072, "vocab_size": 30522, "max_position_embeddings": 512,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
GPT2 = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024,
        "n_embd": 768, "n_layer": 12, "n_head": 12, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
        "bos_token_id": 50256, "eos_token_id": 50256}
BATCH, BERT_TOKENS, PROMPT, DECODED = 8, 128, 512, 64


def model_of(config):
    cls = getattr(transformers, config["architectures"][0])
    settings = {key: value for key, value in config.items() if key not in ("architectures", "model_type")}
    return cls._from_config(cls.config_class(**settings), attn_implementation="sdpa").eval()


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Torch:
    """One figure per name, in tokens per second."""

    def __init__(self, compiled):
        self.bert, self.gpt2 = model_of(BERT), model_of(GPT2)
        self.encode = torch.compile(self.bert) if compiled else self.bert
        self.write = torch.compile(self.gpt2, dynamic=True) if compiled else self.gpt2
        self.texts = torch.randint(1000, 30000, (BATCH, BERT_TOKENS))
        self.prompt = torch.randint(0, 50000, (1, PROMPT))

    def measure_bert(self):
        return {"BERT-base, 8 x 128 tokens": BATCH * BERT_TOKENS / seconds(lambda: self.encode(self.texts))}

    def measure_gpt2(self):
        result = None

        def prefill():
            nonlocal result
            result = self.write(self.prompt, use_cache=True, logits_to_keep=1)

        def decode():
            nonlocal result
            for _ in range(DECODED):
                token = result.logits[:, -1:].argmax(-1)
                result = self.write(token, past_key_values=result.past_key_values, use_cache=True)

        return {"GPT-2, prefill of 512": PROMPT / seconds(prefill), "GPT-2, decode of 64": DECODED / seconds(decode)}


def braid_bench(args, config, folder, *flags):
    path = pathlib.Path(folder) / (config["model_type"] + ".json")
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    command = [args.braid, "bench", str(path / "config.json"), "--random-weights", "1", "--exact", "--weights", "f32",
               "--repeat", "1", "--threads", str(args.threads), "--json", *flags]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--braid", default="build/braid")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    parser.add_argument("--save")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)

    peers = {"eager": Torch(False)}
    if args.compile:
        peers["compiled"] = Torch(True)
    ours, theirs, peaks, fractions = {}, {}, [], {}
    with torch.inference_mode(), tempfile.TemporaryDirectory() as folder:
        for peer in peers.values():  # compiles, and warms up
            peer.measure_bert(), peer.measure_gpt2()
        for _ in range(args.rounds):
            bert = braid_bench(args, BERT, folder, "--batch", str(BATCH), "--prompt-tokens", str(BERT_TOKENS),
                               "--tokens", "1")
            found = {kind: peer.measure_bert() for kind, peer in peers.items()}
            gpt2 = braid_bench(args, GPT2, folder, "--prompt-tokens", str(PROMPT), "--tokens", str(DECODED))
            for kind, peer in peers.items():
                found[kind] |= peer.measure_gpt2()
            own = {"BERT-base, 8 x 128 tokens": (bert["prefill_tokens_per_s"], bert["peak_fraction"]),
                   "GPT-2, prefill of 512": (gpt2["prefill_tokens_per_s"], gpt2["peak_fraction"]),
                   "GPT-2, decode of 64": (gpt2["decode_tokens_per_s"], gpt2["bandwidth_fraction"])}
            peaks += [bert["peak_f32_gflops"], gpt2["peak_f32_gflops"]]
            for name, (speed, fraction) in own.items():
                ours.setdefault(name, []).append(speed)
                fractions.setdefault(name, []).append(fraction)
                for kind in peers:
                    theirs.setdefault(name, {}).setdefault(kind, []).append(found[kind][name])

    report = {"cpu": cpu_name(), "threads": args.threads, "rounds": args.rounds, "torch": torch.__version__,
              "transformers": transformers.__version__, "peak_f32_gflops": statistics.median(peaks), "figures": {}}
    print(f"{report['cpu']}, {args.threads} threads, peak f32 {report['peak_f32_gflops']:.0f} GFLOP/s, "
          f"torch {torch.__version__}, medians of {args.rounds} rounds\n")
    print("| | Braid, tokens/s | of the limit | PyTorch, tokens/s | of the limit | ratio |\n|---|---|---|---|---|---|")
    for name, speeds in ours.items():
        own, limit = statistics.median(speeds), statistics.median(fractions[name])
        kind, peer = max(((k, statistics.median(v)) for k, v in theirs[name].items()), key=lambda item: item[1])
        ratio = statistics.median(a / b for a, b in zip(speeds, theirs[name][kind]))
        print(f"| {name} | {own:.1f} | {limit:.2f} | {peer:.1f} ({kind}) | {limit * peer / own:.2f} | {ratio:.2f} |")
        report["figures"][name] = {"braid_tokens_per_s": own, "braid_fraction_of_limit": limit,
                                   "pytorch_tokens_per_s": peer, "pytorch_mode": kind, "ratio": ratio}
    if args.save:
        pathlib.Path(args.save).write_text(json.dumps(report, indent=2) + "\n")


def cpu_name():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    main()
