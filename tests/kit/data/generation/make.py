"""Recorded cases for the tests of generation, as Hugging Face transformers 5.23 answers them.

    python make.py processors            writes processors.json: each logits processor and warper on random rows
    python make.py beams GOLDEN          writes beams.json: beam search on the golden models below the folder GOLDEN

Beams are computed in fp32 and in fp64, and a case is kept only where both give the same tokens, so that no rounding
decides. Beam sampling draws by the Gumbel trick with Braid's own stream of numbers in place of torch.multinomial: the
same draws without replacement, but repeatable anywhere.
"""
import json
import math
import pathlib
import random
import sys

import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1


def mix(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def uniform(seed, index):
    golden = 0x9E3779B97F4A7C15
    return (mix((mix((seed + golden) & MASK) + (index + 1) * golden) & MASK) >> 11) * 2.0**-53


# ---- processors

VOCABULARY, EOS = 48, [2, 5]
PROMPT = [7, 8, 9, 7, 8, 11]
GENERATED = [12, 7, 7, 30, 12, 12, 7, 8]

PROCESSORS = [
    ("repetition_penalty", {"repetition_penalty": 1.3}),
    ("repetition_penalty below 1", {"repetition_penalty": 0.8}),
    ("encoder_repetition_penalty", {"encoder_repetition_penalty": 1.5}),
    ("no_repeat_ngram_size 1", {"no_repeat_ngram_size": 1}),
    ("no_repeat_ngram_size 2", {"no_repeat_ngram_size": 2}),
    ("no_repeat_ngram_size 3", {"no_repeat_ngram_size": 3}),
    ("encoder_no_repeat_ngram_size", {"encoder_no_repeat_ngram_size": 3}),
    ("bad_words_ids", {"bad_words_ids": [[2], [30], [7, 8, 19], [8, 20], [3, 8, 21]]}),
    ("sequence_bias", {"sequence_bias": [[[31], 2.5], [[8, 32], -3.0], [[9, 8, 33], 4.0], [[7, 8, 34], 1.25]]}),
    ("min_length", {"min_length": 15}),
    ("min_length that is reached", {"min_length": 14}),
    ("min_new_tokens", {"min_new_tokens": 9}),
    ("min_new_tokens that are there", {"min_new_tokens": 8}),
    ("forced_eos_token_id", {"forced_eos_token_id": [5, 4], "max_length": 15}),
    ("forced_eos_token_id, not yet", {"forced_eos_token_id": 5, "max_length": 16}),
    ("exponential_decay_length_penalty", {"exponential_decay_length_penalty": [4, 1.2]}),
    ("suppress_tokens", {"suppress_tokens": [0, 7, 47]}),
    ("begin_suppress_tokens after the first", {"begin_suppress_tokens": [1, 3]}),
]
AT_THE_BEGINNING = [
    ("begin_suppress_tokens", {"begin_suppress_tokens": [1, 3]}, PROMPT),
    ("forced_bos_token_id", {"forced_bos_token_id": 6}, [3]),
    ("forced_bos_token_id with begin_suppress_tokens", {"forced_bos_token_id": 6, "begin_suppress_tokens": [6]}, [3]),
    ("no_repeat_ngram_size longer than the text", {"no_repeat_ngram_size": 4}, [3, 4]),
]
WARPERS = [
    ("temperature", {"temperature": 0.7}),
    ("top_k", {"top_k": 5}),
    ("top_k of one with beams", {"top_k": 1, "num_beams": 2}),
    ("top_p", {"top_p": 0.8}),
    ("top_p with beams", {"top_p": 0.05, "num_beams": 2}),
    ("min_p", {"min_p": 0.1}),
    ("min_p with beams", {"min_p": 0.9, "num_beams": 2}),
    ("top_h", {"top_h": 0.4}),
    ("typical_p", {"typical_p": 0.5}),
    ("typical_p with beams", {"typical_p": 0.02, "num_beams": 2}),
    ("epsilon_cutoff", {"epsilon_cutoff": 0.02}),
    ("epsilon_cutoff with beams", {"epsilon_cutoff": 0.9, "num_beams": 2}),
    ("eta_cutoff", {"eta_cutoff": 0.05}),
    ("all warpers in their order", {"temperature": 1.4, "top_h": 0.95, "top_k": 20, "top_p": 0.93, "min_p": 0.02,
                                    "typical_p": 0.9, "epsilon_cutoff": 0.01, "eta_cutoff": 0.03}),
    ("processors before warpers", {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2, "min_new_tokens": 20,
                                   "suppress_tokens": [1], "temperature": 0.8, "top_k": 12, "top_p": 0.9}),
]


def processors():
    config = json.loads((HERE / "../../golden/text/gpt2/config.json").read_text())
    del config["architectures"]
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(**{**config, "n_layer": 1, "n_embd": 8, "n_head": 1, "vocab_size": VOCABULARY}))
    rows, cases = [], []
    torch.manual_seed(1)
    for _ in range(3):
        rows.append([round(x, 3) for x in (torch.randn(VOCABULARY) * 2.5).tolist()])

    def case(name, options, prompt, generated, sample, row):
        settings = {"top_k": 0, "max_length": 1000, **options}
        if "sequence_bias" in settings:
            settings["sequence_bias"] = {tuple(s): b for s, b in settings["sequence_bias"]}
        g = GenerationConfig(do_sample=sample, eos_token_id=EOS, pad_token_id=0, **settings)
        g._eos_token_tensor = torch.tensor(EOS)
        ids = torch.tensor([prompt + generated])
        chain = model._get_logits_processor(g, len(prompt), torch.tensor([prompt]), device="cpu")
        scores = chain(ids, torch.tensor([rows[row]]))[0].tolist()
        cases.append({"name": name, "options": options, "sample": sample, "row": row, "prompt": prompt,
                      "generated": generated,
                      "scores": [None if math.isinf(x) else float(f"{x:.8g}") for x in scores]})

    for i, (name, options) in enumerate(PROCESSORS):
        case(name, options, PROMPT, GENERATED, False, i % 3)
    for i, (name, options, prompt) in enumerate(AT_THE_BEGINNING):
        case(name, options, prompt, [], False, i % 3)
    for name, options in WARPERS:
        for row in range(3):
            case(name, options, PROMPT, GENERATED, True, row)
    write("processors.json", {"eos": EOS, "rows": rows}, cases)


# ---- beams

SHORT = {"max_new_tokens": 1, "num_beams": 3, "num_return_sequences": 3}
BEAMS = [
    {"num_beams": 2, "max_new_tokens": 12},
    {"num_beams": 4, "max_new_tokens": 20, "num_return_sequences": 4},
    {"num_beams": 3, "max_new_tokens": 20, "length_penalty": 2.0, "num_return_sequences": 2},
    {"num_beams": 3, "max_new_tokens": 20, "length_penalty": -1.0, "num_return_sequences": 3},
    {"num_beams": 3, "max_new_tokens": 20, "length_penalty": 0.0, "early_stopping": "never"},
    {"num_beams": 5, "max_new_tokens": 20, "early_stopping": True, "num_return_sequences": 5},
    {"num_beams": 3, "max_new_tokens": 20, "early_stopping": "never", "length_penalty": 1.5},
    {"num_beams": 4, "max_new_tokens": 16, "no_repeat_ngram_size": 2, "repetition_penalty": 1.2,
     "min_new_tokens": 6, "num_return_sequences": 2},
    {"num_beams": 3, "max_new_tokens": 8, "num_return_sequences": 3, "no_eos": True},
    {"num_beams": 3, "max_new_tokens": 12, "num_return_sequences": 3, "do_sample": True, "temperature": 1.3,
     "top_k": 30, "seed": 11},
    {"num_beams": 4, "max_new_tokens": 16, "num_return_sequences": 2, "do_sample": True, "top_p": 0.9,
     "length_penalty": 0.5, "seed": 12},
    {"num_beams": 8, "max_new_tokens": 66, "num_return_sequences": 2, "length_penalty": 1.0, "no_eos": True},
    SHORT,
]


class Draws:
    """torch.multinomial without replacement by the Gumbel trick, from uniform(seed, n)."""

    def __init__(self, seed):
        self.seed, self.index = seed, 0

    def __call__(self, probabilities, num_samples):
        row = probabilities[0].to(torch.float64)
        noise = [-math.log(-math.log(max(uniform(self.seed, self.index + i), 2.0**-60))) for i in range(len(row))]
        self.index += len(row)
        keys = torch.log(row) + torch.tensor(noise, dtype=torch.float64)
        return torch.topk(keys, num_samples).indices[None]


def run_beams(model, inputs, options):
    options = dict(options)
    seed = options.pop("seed", None)
    multinomial = torch.multinomial
    if seed is not None:
        torch.multinomial = Draws(seed)
    try:
        out = model.generate(**inputs, top_k=options.pop("top_k", 0), return_dict_in_generate=True, output_scores=True,
                             **options)
    finally:
        torch.multinomial = multinomial
    return out.sequences.tolist(), out.sequences_scores.tolist()


@torch.no_grad()
def beams(golden):
    torch.set_num_threads(1)  # tiny models
    cases = []
    for name in ("llama-gqa", "gpt2", "t5"):
        folder = pathlib.Path(golden) / "text" / name
        seq2seq = name == "t5"
        load = (AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM).from_pretrained
        models = [load(folder, dtype=dtype, attn_implementation="eager").eval() for dtype in
                  (torch.float32, torch.float64)]
        greedy = json.loads((folder / "golden.json").read_text())["greedy"]
        vocabulary = models[0].config.vocab_size
        rng = random.Random(3)
        for number, options in enumerate(BEAMS):
            for attempt in range(20):
                prompt = greedy["prompt"] if number == 0 else [rng.randrange(3, vocabulary) for _ in range(
                    rng.randrange(1, 12))]
                # Random models hardly ever end: many tokens are allowed to.
                ends = sorted(rng.sample(range(3, vocabulary), 1 if number == 0 else vocabulary // 12))
                given = dict(options)
                room = getattr(models[0].config, "max_position_embeddings", 1000) - len(prompt)
                given["max_new_tokens"] = min(given["max_new_tokens"], room)
                ends = [] if given.pop("no_eos", False) else ends
                given |= {"eos_token_id": ends or None, "pad_token_id": 0}
                ids = torch.tensor([prompt])
                inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
                a, scores = run_beams(models[0], inputs, given)
                lengths = {len(trim(s, 1 if seq2seq else len(prompt), ends)) for s in a}
                ends_early = len(lengths) > 1 or max(lengths) < given["max_new_tokens"]
                if not ends or number == 0 or options is SHORT or attempt > 3 or ends_early:
                    if a == run_beams(models[1], inputs, given)[0]:
                        break
            else:
                raise SystemExit(f"{name}: rounding decides {options}")
            print(name, number, attempt, sorted(lengths), flush=True)
            start = 1 if seq2seq else len(prompt)
            cases.append({"model": name, "prompt": prompt, "ends": ends,
                          "options": {k: v for k, v in given.items() if k not in ("eos_token_id", "pad_token_id")},
                          "sequences": [trim(s, start, ends) for s in a],
                          "scores": [float(f"{x:.7g}") for x in scores]})
    write("beams.json", {}, cases)


def trim(sequence, start, ends):
    """Without the prompt and the padding after an end."""
    tokens = sequence[start:]
    for i, token in enumerate(tokens):
        if token in ends:
            return tokens[: i + 1]
    return tokens


def write(name, head, cases):
    lines = [json.dumps(c, separators=(",", ":")) for c in cases]
    body = "".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))},\n" for k, v in head.items())
    (HERE / name).write_text("{" + body + '"cases":[\n' + ",\n".join(lines) + "\n]}\n")
    print(name, len(cases), "cases")


if __name__ == "__main__":
    processors() if sys.argv[1] == "processors" else beams(sys.argv[2])
