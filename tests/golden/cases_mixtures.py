# Cases of mixtures, state-space models and hybrids beyond the kit's, for its make_text.py:
#   make_text.py tests/kit/golden/text --cases tests/golden/cases_mixtures.py
# Small on purpose: few layers, 32 to 48 wide.
SMALL = dec(vocab_size=120, hidden_size=48, num_attention_heads=4, num_key_value_heads=2, intermediate_size=56, num_hidden_layers=2,
            max_position_embeddings=64)

CASES = [
    case("olmoe", "OlmoeForCausalLM", "gqa qk-norm-whole clip-qkv moe:top2 topk-not-renormalised",
         {**SMALL, "intermediate_size": 16, "num_experts": 6, "num_experts_per_tok": 2, "clip_qkv": 1.5}),
    case("glm4-moe", "Glm4MoeForCausalLM", "gqa qkv-bias qk-norm partial-rotary moe:top2 shared-expert sigmoid-router group-limited "
         "correction-bias dense-first",
         {**SMALL, "num_hidden_layers": 3, "head_dim": 16, "moe_intermediate_size": 16, "n_routed_experts": 8, "num_experts_per_tok": 2,
          "n_shared_experts": 1, "first_k_dense_replace": 1, "n_group": 2, "topk_group": 1, "use_qk_norm": True, "attention_bias": True,
          "routed_scaling_factor": 1.5}),
    case("granite-moe", "GraniteMoeForCausalLM", "gqa moe:top2 multipliers stacked-experts tied",
         {**SMALL, "intermediate_size": 24, "num_local_experts": 4, "num_experts_per_tok": 2, "embedding_multiplier": 3.0,
          "logits_scaling": 2.0, "residual_multiplier": 0.6, "attention_multiplier": 0.2, "tie_word_embeddings": True}),
    case("granite-moe-shared", "GraniteMoeSharedForCausalLM", "gqa moe:top2 shared-expert multipliers stacked-experts",
         {**SMALL, "intermediate_size": 16, "num_local_experts": 4, "num_experts_per_tok": 2, "shared_intermediate_size": 24,
          "embedding_multiplier": 3.0, "logits_scaling": 2.0, "residual_multiplier": 0.6, "attention_multiplier": 0.2}),
    case("bamba", "BambaForCausalLM", "hybrid:alternating ssm:mamba2 gqa partial-rotary gated-norm",
         {**SMALL, "num_hidden_layers": 3, "attn_layer_indices": [1], "mamba_n_heads": 6, "mamba_d_head": 16, "mamba_n_groups": 2,
          "mamba_d_state": 12, "mamba_chunk_size": 8}),
    case("falcon-mamba", "FalconMambaForCausalLM", "ssm:mamba1 ssm-norms-without-weights tied",
         {"vocab_size": 120, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8, "use_mambapy": False, "tie_word_embeddings": True}),
    case("granite-hybrid-dense", "GraniteMoeHybridForCausalLM", "hybrid:alternating ssm:mamba2 gqa rope multipliers tied",
         {**SMALL, "num_hidden_layers": 3, "layer_types": ["mamba", "attention", "mamba"], "shared_intermediate_size": 40,
          "num_local_experts": 0, "num_experts_per_tok": 0, "position_embedding_type": "rope", "mamba_n_heads": 6, "mamba_d_head": 16,
          "mamba_n_groups": 1, "mamba_d_state": 12, "mamba_chunk_size": 8, "embedding_multiplier": 2.0, "attention_multiplier": 0.3,
          "tie_word_embeddings": True}),
]
