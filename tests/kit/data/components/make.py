#!/usr/bin/env python3
"""Writes cases.json beside this script: for each normaliser, pre-tokeniser, model, post-processor and decoder of the
tokenizer.json format, and each of its options, a small tokenizer around it and what the library tokenizers makes of texts.

    make.py
"""
import json
import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer

TEXTS = ["", " ", "Hello, world!", "  two  spaces ", "don't I'LL it's", "a1b22 ½ ٣", "caf\u00e9 cafe\u0301 \ufb01\u2460", "\u0130I\u0131 \u00df \u1e9e \u03a3\u03c2",
         "\u4e2d\u6587\u3001\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 Yes", "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab", "x\u0323\u0301y\u0301\u0323", "\U0001f999\u200d\U0001f999 \u2764\ufe0f", "tab\tnew\nline\r\nend\u00a0\u2003\u3000",
         "ctl\u0000\u0007\u00ad\u200b\ufeff\ufffd", "a-b--c_d.e?!", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u041f\u0440\u0438\u0432\u0435\u0442 \u0391\u03b2", "\u2581a\u2581 \u2581b", "<s>a</s> [MASK]", "\u0378a\u0378\u03b1"]
BERT = dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
REGEX = {"Regex": "\\s+|\\d"}
NORMALIZERS = [*({"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase", "StripAccents", "ByteLevel")), BERT,
               {**BERT, "lowercase": False}, {**BERT, "strip_accents": True, "lowercase": False}, {**BERT, "clean_text": False, "handle_chinese_chars": False},
               {"type": "Strip", "strip_left": True, "strip_right": False}, {"type": "Strip", "strip_left": False, "strip_right": True},
               {"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
               {"type": "Replace", "pattern": REGEX, "content": "<>"}, {"type": "Replace", "pattern": {"String": "a"}, "content": ""},
               {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]}]
BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
PRE_TOKENIZERS = [*({"type": name} for name in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts")),
                  {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                  {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
                  {"type": "CharDelimiterSplit", "delimiter": "-"}, {"type": "Digits", "individual_digits": True}, {"type": "Digits", "individual_digits": False},
                  {"type": "FixedLength", "length": 3},
                  *({"type": "Punctuation", "behavior": b} for b in BEHAVIORS),
                  *({"type": "Split", "pattern": REGEX, "behavior": b, "invert": i} for b in BEHAVIORS for i in (False, True)),
                  *({"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": s, "split": p} for s in ("always", "first", "never") for p in (True, False)),
                  {"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}, {"type": "Digits", "individual_digits": True}]}]
TOKENS = {"tokens": ["[CLS]"], "ids": [1]}, {"tokens": ["[SEP]", "x"], "ids": [2, 3]}
TEMPLATE = {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "C", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "S", "type_id": 1}}],
            "pair": [{"Sequence": {"id": "B", "type_id": 2}}, {"SpecialToken": {"id": "S", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 1}}],
            "special_tokens": {"C": {"id": "C", **TOKENS[0]}, "S": {"id": "S", **TOKENS[1]}}}
ROBERTA = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": True, "add_prefix_space": True}
LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
PROCESSORS = [{"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}, ROBERTA, {**ROBERTA, "trim_offsets": False}, LEVEL, {**LEVEL, "trim_offsets": False},
              TEMPLATE, {"type": "Sequence", "processors": [LEVEL, TEMPLATE]}]
DECODERS = [{"type": "BPEDecoder", "suffix": "</w>"}, {"type": "ByteFallback"}, LEVEL, {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
            {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": False}, {"type": "Fuse"},
            *({"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": s, "split": True} for s in ("always", "never")),
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "Strip", "content": "a", "start": 1, "stop": 0}, {"type": "Strip", "content": "a", "start": 0, "stop": 1},
            {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "WordPiece", "prefix": "##", "cleanup": False},
            {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]}]
PIECES = ["\u2581a", "a", "aab", "##b", "<0xE4>", "<0xB8>", "<0xAD>", "<0xFF>", "<pad>", "|", "h</w>", " .", "n't", "\u0120x", "\u00c3", "\u00a9", "\u2581", ",", " 's"]
ORDERS = [list(range(19)), [4, 5, 6], [7, 4, 5], [0, 3, 3, 16, 1], [1, 1, 8, 1, 9, 9, 2], [10, 10, 12, 11], [13, 14, 15, 14], [18, 17, 11, 12], [], [16], [2, 2]]
MODELS = [dict(type="WordPiece", unk_token="?", continuing_subword_prefix="##", max_input_chars_per_word=8,
               vocab={"?": 0, "a": 1, "##b": 2, "Hello": 3, "##l": 4, "wor": 5, "##ld": 6, ",": 7, "two": 8}),
          dict(type="WordLevel", unk_token="?", vocab={"?": 0, "Hello": 1, ",": 2, "world": 3}),
          dict(type="BPE", unk_token="?", fuse_unk=True, vocab={"?": 0, "l": 1, "o": 2, "lo": 3, "e": 4, "H": 5, "ll": 6, "llo": 7}, merges=[["l", "l"], ["ll", "o"]]),
          dict(type="BPE", unk_token="?", fuse_unk=False, continuing_subword_prefix="##", end_of_word_suffix="</w>",
               vocab={"?": 0, "a": 1, "##b</w>": 2, "ab</w>": 3, "##o": 4, "##l": 5, "H": 6, "##e": 7, "He": 8}, merges=[["a", "##b</w>"], ["H", "##e"]]),
          dict(type="Unigram", unk_id=0, byte_fallback=False, vocab=[["?", 0.0], ["H", -2.0], ["ello", -3.5], ["el", -2.0], ["lo", -1.0], ["o", -4.0], ["l", -1.5], ["e", -3.0]])]


def run(spec, texts, pairs=()):
    spec = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None,
            "decoder": None, **spec}
    tok = Tokenizer.from_str(json.dumps(spec))
    cases = []
    for text, pair in [*((t, None) for t in texts), *pairs]:
        e = tok.encode(text, pair)
        cases.append({"text": text, "ids": e.ids, "offsets": [list(o) for o in e.offsets]} | ({} if pair is None else {"pair": pair, "type_ids": e.type_ids}))
    return {"tokenizer": {k: v for k, v in spec.items() if v}, "cases": cases}


def characters(normalizer):
    """A model of one token for each character that the normaliser makes of the texts."""
    tok = Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], "normalizer": normalizer, "model": {"type": "BPE", "vocab": {}, "merges": []}}))
    found = sorted({c for text in TEXTS for c in tok.normalizer.normalize_str(text)})
    return {"type": "BPE", "vocab": {c: i for i, c in enumerate(found)}, "merges": []}


def main():
    unknown = {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}
    words = {"type": "Whitespace"}
    out = [run({"normalizer": n, "model": characters(n)}, TEXTS) for n in NORMALIZERS]
    out += [run({"pre_tokenizer": p, "model": unknown}, TEXTS) for p in PRE_TOKENIZERS]
    out += [run({"pre_tokenizer": words, "model": m}, TEXTS[:5]) for m in MODELS]
    pairs = [("Hello, world!", "two words"), ("", "b"), ("a", "")]
    out += [run({"pre_tokenizer": LEVEL, "model": unknown, "post_processor": p}, ["", " a  b ", "caf\u00e9 x"], pairs) for p in PROCESSORS]
    for decoder in DECODERS:
        model = {"type": "WordLevel", "vocab": {t: i for i, t in enumerate(PIECES)}, "unk_token": "a"}
        tok = Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], "decoder": decoder, "model": model}))
        out.append({"tokenizer": {"decoder": decoder, "model": model}, "cases": [{"ids": ids, "decoded": tok.decode(ids)} for ids in ORDERS]})
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "cases.json"), "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in out) + "\n]\n")


main()
