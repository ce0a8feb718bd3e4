#!/usr/bin/env python3
"""Train small SentencePiece models beside this script and record what the sentencepiece library answers.

    make.py TEXT

NAME.model and NAME.json: {"cases": [{"text", "ids", "decoded"}]}, ids without special tokens.
"""
import json
import random
import sys
from pathlib import Path

import sentencepiece as spm

HERE = Path(__file__).resolve().parent
MODELS = {
    "bpe": dict(model_type="bpe", vocab_size=420, byte_fallback=True, normalization_rule_name="identity",
                remove_extra_whitespaces=False, user_defined_symbols=["<turn>", "▁▁▁▁"]),
    "unigram": dict(model_type="unigram", vocab_size=420, normalization_rule_name="nmt_nfkc"),
    "unigram-bytes": dict(model_type="unigram", vocab_size=520, byte_fallback=True, add_dummy_prefix=False,
                          normalization_rule_name="identity"),
}
TEXTS = ["", " ", "a", "Hello, world!", "  leading", "trailing  ", "a  b   c    d     e", "The hound of the Baskervilles.", "don't",
         "1234567890", "Grüße aus Zürich", "ﬁne ① Ⅷ ﾃｽﾄ", "日本語のテキスト", "🦙🦙 emoji 👨‍👩‍👧", "\ttab\nline\r\n", "▁underline▁", "cafe\u0301",
         "x" * 70, "<turn>user hi<turn>", "aaaa<turn>  b", "\u00a0nbsp\u3000wide"]


def main():
    lines = [l for l in Path(sys.argv[1]).read_text(encoding="utf-8").split("\n") if l.strip()]
    train = HERE / "train.txt"
    train.write_text("\n".join(lines[:1500]), encoding="utf-8")
    rnd = random.Random(3)
    texts = TEXTS + [rnd.choice(lines)[:160] for _ in range(12)]
    for name, options in MODELS.items():
        spm.SentencePieceTrainer.train(input=str(train), model_prefix=str(HERE / name), character_coverage=0.999, minloglevel=2,
                                       num_threads=1, **options)
        (HERE / f"{name}.vocab").unlink()
        sp = spm.SentencePieceProcessor(model_file=str(HERE / f"{name}.model"))
        cases = [{"text": t, "ids": sp.encode(t), "decoded": sp.decode(sp.encode(t))} for t in texts]
        (HERE / f"{name}.json").write_text(json.dumps({"cases": cases}, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    train.unlink()


if __name__ == "__main__":
    main()
