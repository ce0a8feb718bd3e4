# Cases of decoder families, small ones: make_text.py OUTDIR --cases THIS (it provides case, dec, rope and without).
TINY = {"hidden_size": 48, "intermediate_size": 72, "num_hidden_layers": 2, "vocab_size": 180}
FOUR = {**TINY, "num_hidden_layers": 4}


def tiny(**more):
    return {**dec(), **TINY, **more}


def four(**more):
    return {**dec(), **FOUR, **more}


FALCON = without(tiny(), "num_key_value_heads", "intermediate_size")
OPT = {**without(tiny(), "num_key_value_heads", "intermediate_size"), "ffn_dim": 80}
HALF = rope(partial_rotary_factor=0.5)

CASES = [
    case("arcee", "ArceeForCausalLM", "gqa relu2 no-gate", tiny()),
    case("cohere", "CohereForCausalLM", "gqa parallel-block layernorm-no-bias rope:interleaved logit-scale tied",
         tiny(logit_scale=0.25)),
    case("cohere-qk-norm", "CohereForCausalLM", "gqa parallel-block norm-per-head", tiny(use_qk_norm=True, logit_scale=0.25)),
    case("cohere2", "Cohere2ForCausalLM", "gqa parallel-block sliding-window alternating nope-layers rope:interleaved tied",
         four(sliding_window=8, head_dim=12, logit_scale=0.25)),
    case("exaone4", "Exaone4ForCausalLM", "gqa post-norm qk-norm sliding-window alternating nope-layers",
         four(sliding_window=8, sliding_window_pattern=4)),
    # made with attn_implementation="sdpa": the eager path of transformers 5.23 adds the bias twice, once in the mask
    case("falcon-alibi", "FalconForCausalLM", "mha alibi sequential-block biases",
         {**FALCON, "alibi": True, "multi_query": False, "parallel_attn": False, "bias": True}),
    case("glm", "GlmForCausalLM", "gqa qkv-bias fused-gate-up partial-rotary rope:interleaved", tiny(head_dim=12, pad_token_id=0, attention_bias=True)),
    case("glm4", "Glm4ForCausalLM", "gqa sandwich-norm qkv-bias fused-gate-up partial-rotary rope:interleaved",
         tiny(head_dim=12, pad_token_id=0, attention_bias=True)),
    case("gpt-bigcode", "GPTBigCodeForCausalLM", "mqa learned-positions fused-qkv tied",
         {"vocab_size": 180, "n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2}),
    case("gpt-bigcode-mha", "GPTBigCodeForCausalLM", "mha learned-positions fused-qkv-per-head",
         {"vocab_size": 180, "n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2,
          "multi_query": False}),
    case("gpt-neo", "GPTNeoForCausalLM", "learned-positions sliding-window alternating unscaled tied",
         {"vocab_size": 150, "hidden_size": 40, "num_layers": 4, "num_heads": 4, "max_position_embeddings": 64, "window_size": 8,
          "attention_types": [[["global", "local"], 2]], "bos_token_id": 1, "eos_token_id": 2}),
    case("llama-dynamic", "LlamaForCausalLM", "gqa rope:dynamic", tiny(**rope("dynamic", factor=2.0))),
    case("gpt-neox-sequential", "GPTNeoXForCausalLM", "sequential-residual partial-rotary fused-qkv-per-head",
         without(tiny(use_parallel_residual=False, **HALF), "num_key_value_heads")),
    case("gptj", "GPTJForCausalLM", "parallel-block partial-rotary rope:interleaved lm-head-bias",
         {"vocab_size": 180, "n_embd": 48, "n_layer": 2, "n_head": 4, "rotary_dim": 8, "n_positions": 64, "bos_token_id": 1,
          "eos_token_id": 2}),
    case("granite", "GraniteForCausalLM", "gqa multipliers tied",
         tiny(embedding_multiplier=3.0, logits_scaling=2.0, residual_multiplier=0.6, attention_multiplier=0.2,
              tie_word_embeddings=True)),
    case("helium", "HeliumForCausalLM", "gqa rope:interleaved", tiny(head_dim=12)),
    case("llama-attention-bias", "LlamaForCausalLM", "gqa attention-bias", tiny(vocab_size=120, attention_bias=True)),  # for renamed_llama.py
    case("llama-all-biases", "LlamaForCausalLM", "gqa attention-bias mlp-bias", tiny(vocab_size=120, attention_bias=True, mlp_bias=True)),
    case("mpt", "MptForCausalLM", "alibi fused-qkv layernorm-no-bias clip tied",
         {"vocab_size": 180, "d_model": 48, "n_layers": 2, "n_heads": 3, "max_seq_len": 64,
          "attn_config": {"attn_type": "multihead_attention", "alibi": True, "clip_qkv": 1.5}, "bos_token_id": 1, "eos_token_id": 2}),
    case("nemotron", "NemotronForCausalLM", "gqa layernorm+1 relu2 no-gate partial-rotary", tiny(head_dim=12)),
    case("olmo", "OlmoForCausalLM", "gqa norm-without-weight clip", tiny(clip_qkv=1.5)),
    case("olmo2", "Olmo2ForCausalLM", "gqa post-norm qk-norm-across-heads", tiny()),
    case("olmo3", "Olmo3ForCausalLM", "gqa post-norm qk-norm-across-heads sliding-window alternating", four(sliding_window=8)),
    case("opt-350m-style", "OPTForCausalLM", "post-norm embedding-projection tied", {**OPT, "do_layer_norm_before": False, "word_embed_proj_dim": 32}),
    case("seed-oss", "SeedOssForCausalLM", "gqa qkv-bias", tiny(head_dim=12, attention_bias=True)),
    case("stablelm", "StableLmForCausalLM", "gqa layernorm partial-rotary qkv-bias", tiny(use_qkv_bias=True, **HALF)),
    case("stablelm-parallel", "StableLmForCausalLM", "gqa parallel-block norm-per-head", tiny(use_parallel_residual=True, qk_layernorm=True, **HALF)),
    case("starcoder2", "Starcoder2ForCausalLM", "gqa layernorm no-gate biases sliding-window tied", tiny(sliding_window=8)),
    # base classes and classifiers of decoders
    case("llama-base", "LlamaModel", "base-class layout:no-prefix", tiny()),
    case("qwen3-base", "Qwen3Model", "base-class qk-norm right-padding", tiny(head_dim=12), padded="right", batch=3),
    case("gpt2-base", "GPT2Model", "base-class", {"vocab_size": 180, "n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2}),
    case("gemma3-base", "Gemma3TextModel", "base-class sliding-window", four(head_dim=12, sliding_window=8, query_pre_attn_scalar=12)),
    case("gemma3-embedding", "Gemma3TextModel", "base-class bidirectional sliding-window", four(head_dim=12, sliding_window=8, query_pre_attn_scalar=12, use_bidirectional_attention=True,
              layer_types=["sliding_attention", "full_attention"] * 2)),
    case("llama-seqcls", "LlamaForSequenceClassification", "last-token-head right-padding", tiny(num_labels=3, pad_token_id=0), padded="right", batch=3),
    case("qwen2-seqcls", "Qwen2ForSequenceClassification", "last-token-head", tiny(num_labels=1, pad_token_id=0)),
    case("qwen3-tokcls", "Qwen3ForTokenClassification", "token-head", tiny(num_labels=5, head_dim=12)),
    case("gpt2-seqcls", "GPT2ForSequenceClassification", "last-token-head", {"vocab_size": 180, "n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "num_labels": 2}),
    # configurations that public checkpoints have
    case("qwen2-window", "Qwen2ForCausalLM", "gqa qkv-bias sliding-window upper-layers", four(use_sliding_window=True, sliding_window=8, max_window_layers=2)),
]
