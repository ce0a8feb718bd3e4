#!/usr/bin/env python3
"""Make the cases of the task tests: tiny random models with a tokenizer, and what transformers' pipelines answer.

    make_cases.py tests/kit/data/tasks [NAME…]

Each folder is a checkpoint as the Hub has it, with expected.json: {"inputs": …, "results": …}. Embeddings follow the
definitions of sentence-transformers (pooling over the attention mask, then the norm). Needs torch, transformers,
tokenizers, safetensors.
"""
import copy
import json
import math
import random
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, pipeline

WORDS = """the a of to and in is was it he she they we you i not with for on at by from as that this which who what when
where why how old new small large red blue green house river city mountain book paper letter word sea ship captain sailor
wind rain snow night day morning king queen london paris rome berlin anna peter maria john mary went saw read wrote found
lost made took came left asked said told answer question good bad great little long short first last one two three four
five hundred thousand""".split()
TEXTS = ["Anna went to London in the morning.", "The old captain read a letter from Peter, who was at sea.",
         "Snow!", "It is a small house by the river and the mountain; the king of Rome saw it on a rainy night.",
         "Café Zürich is not in Berlin."]
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
         "max_position_embeddings": 96}


def tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [c for c in "abcdefghijklmnopqrstuvwxyz.,;!?'"]
    pieces = ["##" + c for c in "abcdefghijklmnopqrstuvwxyz"] + ["##ing", "##ed", "##er", "##est"]
    vocabulary = {t: i for i, t in enumerate(special + letters + WORDS_ONCE + pieces)}
    t = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1",
                                                     [("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=t, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]", mask_token="[MASK]", model_max_length=96,
                                   model_input_names=["input_ids", "token_type_ids", "attention_mask"])


WORDS_ONCE = list(dict.fromkeys(w for w in WORDS if len(w) > 1))


def build(cls, seed, scale=1.0, **more):
    torch.manual_seed(seed)
    c = getattr(transformers, cls)
    cfg = c.config_class(vocab_size=len(tok), pad_token_id=0, **SIZES, **more)
    model = c(cfg).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.randn_like(p) * (scale / math.sqrt(p.shape[-1]) if p.ndim > 1 else 0.2) + (1.0 if "LayerNorm.weight" in name else 0.0))
    model.tie_weights()
    return model


def save(name, model, inputs, results, extra=None):
    if only and name not in only:
        return
    folder = root / name
    model.save_pretrained(folder)
    tok.save_pretrained(folder)
    for path, content in (extra or {}).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(json.dumps(content))
    (folder / "expected.json").write_text(json.dumps({"transformers": transformers.__version__, "inputs": inputs, "results": results}, indent=1, ensure_ascii=False) + "\n")


def plain(x):
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x.item() if hasattr(x, "item") else x


def pooled(hidden, mode):
    n = hidden.shape[0]
    weights = torch.arange(1, n + 1, dtype=torch.float32)[:, None]
    return {"cls": hidden[0], "max": hidden.max(0).values, "mean": hidden.mean(0), "sqrt": hidden.sum(0) / math.sqrt(n),
            "weighted": (hidden * weights).sum(0) / weights.sum(), "last": hidden[-1]}[mode]


@torch.no_grad()
def embeddings(model, texts, modes, norm, most):
    vectors = []
    for text in texts:
        ids = tok(text, truncation=True, max_length=most, return_tensors="pt")
        hidden = model(**{k: v for k, v in ids.items() if k != "token_type_ids"}).last_hidden_state[0]
        v = torch.cat([pooled(hidden, m) for m in modes])
        vectors.append((v / v.norm() if norm else v).tolist())
    return vectors


def modules(pooling, norm, most):
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling")] + ([("2_Normalize", "Normalize")] if norm else [])
    flags = {f"pooling_mode_{m}": m in pooling for m in ("cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens",
                                                         "weightedmean_tokens", "lasttoken")}
    return {"modules.json": [{"idx": i, "name": str(i), "path": p, "type": "sentence_transformers.models." + k}
                             for i, (p, k) in enumerate(kinds)],
            "1_Pooling/config.json": {"word_embedding_dimension": 32, **flags},
            "sentence_bert_config.json": {"max_seq_length": most, "do_lower_case": False}}


def dense_module(folder, inputs, outputs, activation, bias):
    """A module Dense beside a model, as sentence-transformers writes it → the layer."""
    layer = torch.nn.Linear(inputs, outputs, bias=bias)
    torch.nn.init.normal_(layer.weight, std=0.3)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"linear." + k: v.contiguous() for k, v in layer.state_dict().items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"in_features": inputs, "out_features": outputs, "bias": bias,
        "activation_function": "torch.nn.modules." + ("activation.Tanh" if activation else "linear.Identity")}))
    return lambda x: torch.tanh(layer(x)) if activation else layer(x)


def embed_modules(name, model, mode, most):
    """Modules to be laid beside another case's model: pooling, two dense layers, the norm."""
    if only and name not in only:
        return
    torch.manual_seed(9)
    folder, width = root / name, model.config.hidden_size
    first, second = dense_module(folder / "2_Dense", width, 20, True, True), dense_module(folder / "3_Dense", 20, 7, False, False)
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense"), ("3_Dense", "Dense"), ("4_Normalize", "Normalize")]
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": width, "pooling_mode": "lasttoken" if mode == "last" else mode}))
    (folder / "modules.json").write_text(json.dumps([{"idx": i, "name": str(i), "path": p, "type": "sentence_transformers.models." + k}
                                                     for i, (p, k) in enumerate(kinds)]))
    vectors = [second(first(torch.tensor(v))) for v in embeddings(model, TEXTS, [mode], False, most)]
    (folder / "expected.json").write_text(json.dumps({"inputs": TEXTS, "results": [(v / v.norm()).tolist() for v in vectors]},
                                                     indent=1, ensure_ascii=False) + "\n")


TASKS = {"summarization": {"prefix": "a short letter: ", "num_beams": 4, "length_penalty": 2.0, "early_stopping": True,
                           "no_repeat_ngram_size": 3, "min_length": 5, "max_length": 14},
         "translation_en_to_de": {"prefix": "to berlin: ", "num_beams": 3, "max_length": 10},
         "translation_en_to_fr": {"prefix": "to paris: ", "max_length": 9}}


def text_to_text():
    """A T5 whose config knows tasks, and what generate() gives when they are laid over its generation config, as the
    pipelines did it."""
    torch.manual_seed(8)
    c = transformers.T5Config(vocab_size=len(tok), d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2,
                              relative_attention_num_buckets=8, relative_attention_max_distance=20, pad_token_id=0,
                              decoder_start_token_id=0)
    model = transformers.T5ForConditionalGeneration(c).eval()
    for name, p in model.named_parameters():
        p.copy_(torch.randn_like(p) * (2.0 / math.sqrt(p.shape[-1]) if p.ndim > 1 else 0.2) + (1.0 if p.ndim == 1 else 0.0))
    model.tie_weights()
    model = model.bfloat16()
    model.config.task_specific_params = TASKS
    # Random models hardly ever end: many tokens are allowed to.
    model.generation_config.eos_token_id = sorted(random.Random(8).sample(range(5, len(tok)), len(tok) // 10))
    exact = [copy.deepcopy(model).to(dtype) for dtype in (torch.float32, torch.float64)]
    results = {}
    for task, how in TASKS.items():
        settings = copy.deepcopy(model.generation_config)
        settings.update(**{k: v for k, v in how.items() if k != "prefix"})
        results[task] = []
        for text in TEXTS:
            ids = tok(how["prefix"] + text, return_tensors="pt").input_ids
            one, two = (m.generate(ids, generation_config=settings)[0].tolist() for m in exact)
            assert one == two, "rounding decides"
            end = next((i for i, t in enumerate(one) if i > 0 and t in settings.eos_token_id), len(one) - 1)
            results[task].append(one[1:end + 1])
        print(task, results[task])
    save("text-to-text", model, TEXTS, results)


@torch.no_grad()
def main():
    labels = dict(enumerate(["sad", "happy", "angry"]))
    ids = {"id2label": labels, "label2id": {v: k for k, v in labels.items()}}
    m = build("BertForSequenceClassification", 1, 1.5, **ids)
    save("classify", m, TEXTS, plain(pipeline("text-classification", m, tokenizer=tok, top_k=None)(TEXTS)))
    m = build("BertForSequenceClassification", 2, 1.5, problem_type="multi_label_classification", **ids)
    save("classify-multi", m, TEXTS, plain(pipeline("text-classification", m, tokenizer=tok, top_k=None)(TEXTS)))

    tags = dict(enumerate(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]))
    m = build("BertForTokenClassification", 3, 2.5, id2label=tags, label2id={v: k for k, v in tags.items()})
    save("ner", m, TEXTS, plain(pipeline("token-classification", m, tokenizer=tok, aggregation_strategy="simple")(TEXTS)))

    m = build("BertForMaskedLM", 4, 1.5)
    masked = ["The captain [MASK] a letter.", "[MASK] went to [MASK] in the morning."]
    save("fill-mask", m, masked, [plain(r) for r in (pipeline("fill-mask", m, tokenizer=tok, top_k=4)(t) for t in masked)])

    m = build("BertForSequenceClassification", 5, 1.5, num_labels=1)
    query = "Where is the old house?"
    scores = [torch.sigmoid(m(**tok(query, t, return_tensors="pt")).logits[0, 0]).item() for t in TEXTS]
    save("rerank", m, {"query": query, "documents": TEXTS}, scores)

    m = build("BertForQuestionAnswering", 6, 2.0)
    question, context = "Who read a letter?", TEXTS[1]
    pair = tok(question, context, return_tensors="pt", return_offsets_mapping=True)
    offsets, kinds = pair.pop("offset_mapping")[0].tolist(), pair["token_type_ids"][0].tolist()
    out = m(**pair)
    inside = [i for i in range(len(kinds)) if kinds[i] == 1 and offsets[i][1] > offsets[i][0]]
    keep = [0] + inside                          # as the pipeline had it: the context, and [CLS] for "no answer"
    s, e = (torch.softmax(x[0, keep], 0)[1:] for x in (out.start_logits, out.end_logits))
    best = max((float(s[i] * e[j]), i, j) for i in range(len(inside)) for j in range(i, min(len(inside), i + 15)))
    a, b = offsets[inside[best[1]]][0], offsets[inside[best[2]]][1]
    save("answer", m, {"question": question, "context": context}, {"score": best[0], "start": a, "end": b})

    m = build("BertModel", 7, 1.2)
    all_modes = ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    save("embed", m, TEXTS, embeddings(m, TEXTS, ["mean"], True, 12), modules(["mean_tokens"], True, 12))
    save("embed-all", m, TEXTS, embeddings(m, TEXTS, ["cls", "max", "mean", "sqrt", "weighted", "last"], False, 96), modules(all_modes, False, 96))

    embed_modules("embed-dense", m, "mean", 96)
    decoder = root / "../../golden/text/qwen3-base"     # as Qwen3-Embedding: the last token, which is the template's
    embed_modules("embed-last", transformers.AutoModel.from_pretrained(decoder, dtype=torch.float32).eval(), "last", 96)
    text_to_text()


tok = tokenizer()
root, only = Path(sys.argv[1]), sys.argv[2:]
main()
