# The cases of make.py, in the words of make_text.py (which provides case, dec, rope and without): one for each
# architecture that is converted, as small as shows everything that the converter rearranges.
SMALL = dict(hidden_size=32, intermediate_size=48, vocab_size=96, num_hidden_layers=2)
GEMMA = dict(SMALL, head_dim=12, tie_word_embeddings=True)
LONG = {"long_factor": [1.0, 1.3, 2.0, 3.1], "short_factor": [1.0, 1.02, 1.1, 1.7]}
PHI3 = dict(SMALL, pad_token_id=0, max_position_embeddings=128)
GEMMA_BASES = {"rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                                   "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}}

CASES = [
    case("llama", "LlamaForCausalLM", "gqa", dec(**SMALL), dtype="float32"),
    case("llama-biases", "LlamaForCausalLM", "mha attention-bias mlp-bias head-dim",
         dec(**SMALL, head_dim=12, attention_bias=True, mlp_bias=True, num_key_value_heads=4)),
    case("llama3", "LlamaForCausalLM", "gqa rope:llama3 tied",
         dec(**SMALL, tie_word_embeddings=True, **rope("llama3", 500000.0, factor=8.0, low_freq_factor=1.0,
                                                       high_freq_factor=4.0, original_max_position_embeddings=32))),
    case("llama-yarn", "LlamaForCausalLM", "mqa rope:yarn",
         dec(**SMALL, num_key_value_heads=1, **rope("yarn", factor=4.0, original_max_position_embeddings=32))),
    case("mixtral", "MixtralForCausalLM", "gqa moe:top2", dec(**SMALL, num_local_experts=4, sliding_window=None)),
    case("qwen2", "Qwen2ForCausalLM", "gqa qkv-bias f16", dec(**SMALL, **rope(theta=1e6)), dtype="float16"),
    case("qwen3", "Qwen3ForCausalLM", "gqa qk-norm head-dim tied", dec(**SMALL, head_dim=12, tie_word_embeddings=True, **rope(theta=1e6))),
    case("gemma", "GemmaForCausalLM", "mqa norm+1 embed-scale tied", dec(**GEMMA, num_key_value_heads=1), emb_std=0.06),
    case("gemma2", "Gemma2ForCausalLM", "norm+1 sandwich-norm soft-cap sliding-window",
         dec(**GEMMA, sliding_window=8, query_pre_attn_scalar=12, attn_logit_softcapping=2.0, final_logit_softcapping=1.5), emb_std=0.06),
    case("gemma3", "Gemma3ForCausalLM", "norm+1 qk-norm sliding-window rope:two-bases rope:linear",
         dec(**{**GEMMA, "num_hidden_layers": 7}, sliding_window=8, query_pre_attn_scalar=12, **GEMMA_BASES), emb_std=0.06),
    case("phi3", "Phi3ForCausalLM", "fused-qkv fused-gate-up sliding-window", dec(**PHI3, sliding_window=8)),
    case("phi3-long", "Phi3ForCausalLM", "fused-qkv rope:longrope long-factors",
         dec(**PHI3, sliding_window=None, original_max_position_embeddings=8,
             **rope("longrope", original_max_position_embeddings=8, **LONG))),
    case("gpt2", "GPT2LMHeadModel", "conv1d tied layernorm",
         {"vocab_size": 96, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "n_ctx": 64, "bos_token_id": 1, "eos_token_id": 2}),
    case("bert", "BertModel", "layernorm post-norm", without(dec(**SMALL, type_vocab_size=2), "num_key_value_heads"),
         segments=True, dtype="float32"),
]
