# Cases of encoders and encoder-decoders beyond the kit's, for its make_text.py:
#   make_text.py tests/kit/golden/text --cases tests/golden/cases_encoders.py
# Small on purpose: two layers, 32 to 48 wide.
SMALL = {"vocab_size": 120, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 56,
         "max_position_embeddings": 48}
ROBERTA = {**SMALL, "type_vocab_size": 1, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "max_position_embeddings": 50}
ALBERT = {**SMALL, "embedding_size": 24, "num_hidden_layers": 3, "num_hidden_groups": 1, "pad_token_id": 0}
DISTIL = {"vocab_size": 120, "dim": 32, "hidden_dim": 56, "n_heads": 4, "n_layers": 2, "max_position_embeddings": 48}
MPNET = {**SMALL, "pad_token_id": 1, "bos_token_id": 0}
MODERN = {**SMALL, "num_hidden_layers": 4, "local_attention": 8, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2, "pad_token_id": 0}
DEBERTA = {**SMALL, "relative_attention": True, "position_buckets": 8, "max_relative_positions": -1, "norm_rel_ebd": "layer_norm",
           "share_att_key": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0,
           "pad_token_id": 0}
BART = {"vocab_size": 120, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
        "decoder_attention_heads": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 56, "max_position_embeddings": 64,
        "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": None}
T5 = {"vocab_size": 120, "d_model": 32, "d_kv": 10, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 4,
      "relative_attention_num_buckets": 16, "relative_attention_max_distance": 20, "decoder_start_token_id": 0}

CASES = [
    case("distilbert-qa", "DistilBertForQuestionAnswering", "span-head", DISTIL, padded="right", batch=2),
    case("distilbert-tokcls", "DistilBertForTokenClassification", "no-pooler", {**DISTIL, "num_labels": 4}),
    case("roberta-mlm", "RobertaForMaskedLM", "positions-from-padding tied left-padding", ROBERTA, padded="left", batch=2),
    case("roberta-seqcls", "RobertaForSequenceClassification", "positions-from-padding", {**ROBERTA, "num_labels": 3}),
    case("xlm-roberta-tokcls", "XLMRobertaForTokenClassification", "positions-from-padding", {**ROBERTA, "num_labels": 4},
         padded="right", batch=2),
    case("camembert-qa", "CamembertForQuestionAnswering", "positions-from-padding span-head", ROBERTA),
    case("electra-mlm", "ElectraForMaskedLM", "factorised-embeddings tied", {**SMALL, "embedding_size": 24}, segments=True),
    case("electra-seqcls", "ElectraForSequenceClassification", "gelu-head", {**SMALL, "embedding_size": 32, "num_labels": 3},
         segments=True),
    case("albert", "AlbertModel", "shared-layers factorised-embeddings pooler", ALBERT, segments=True),
    case("albert-mlm", "AlbertForMaskedLM", "shared-layers factorised-embeddings tied", {**ALBERT, "num_hidden_layers": 4,
         "num_hidden_groups": 2, "inner_group_num": 2}, segments=True, emb_std=0.7, gain=0.8),
    case("albert-seqcls", "AlbertForSequenceClassification", "shared-layers pooler", {**ALBERT, "num_labels": 3}, segments=True),
    case("mpnet", "MPNetModel", "relative-bias pooler right-padding", MPNET, padded="right", batch=2),
    case("mpnet-seqcls", "MPNetForSequenceClassification", "relative-bias", {**MPNET, "num_labels": 3}),
    case("modernbert-seqcls", "ModernBertForSequenceClassification", "sliding-window:bidirectional mean-pooling right-padding",
         {**MODERN, "classifier_pooling": "mean", "num_labels": 3, "classifier_bias": True}, padded="right", batch=2),
    case("modernbert-tokcls", "ModernBertForTokenClassification", "sliding-window:bidirectional norm-bias",
         {**MODERN, "num_labels": 4, "norm_bias": True, "attention_bias": True, "mlp_bias": True}),
    case("deberta-v2-mlm", "DebertaV2ForMaskedLM", "disentangled log-buckets tied", {**DEBERTA, "legacy": True}),
    case("deberta-v2-seqcls", "DebertaV2ForSequenceClassification", "disentangled right-padding own-projections",
         {**DEBERTA, "position_buckets": -1, "max_relative_positions": 6, "share_att_key": False, "norm_rel_ebd": "none",
          "position_biased_input": True, "type_vocab_size": 2, "num_labels": 3}, padded="right", batch=2),
    case("bart", "BartForConditionalGeneration", "encoder-decoder learned-positions+2 embedding-norm final-logits-bias",
         {**BART, "tie_word_embeddings": False}, padded="right", batch=2),
    case("bart-tied", "BartForConditionalGeneration", "encoder-decoder learned-positions+2 embed-scale tied",
         {**BART, "scale_embedding": True, "activation_function": "relu"}, emb_std=0.5, gain=1.2, greedy=False),
    case("mbart", "MBartForConditionalGeneration", "encoder-decoder pre-norm learned-positions+2 embed-scale embedding-norm tied",
         {**BART, "scale_embedding": True}, greedy=False),
    case("m2m-100", "M2M100ForConditionalGeneration", "encoder-decoder pre-norm sinusoidal-positions+2 embed-scale relu tied",
         {**BART, "scale_embedding": True}, padded="right", batch=2, greedy=False),
    case("umt5", "UMT5ForConditionalGeneration", "encoder-decoder relative-bias-per-layer gated-gelu",
         {**T5, "feed_forward_proj": "gated-gelu"}, padded="right", batch=2),
    # As few tokens in the decoder as an expert takes: whole passes of transformers drop tokens there, its cached generation does not.
    case("switch-capacity", "SwitchTransformersForConditionalGeneration", "encoder-decoder moe:top1 expert-capacity",
         {**T5, "num_sparse_encoder_layers": 2, "num_sparse_decoder_layers": 1, "num_experts": 2, "expert_capacity": 3},
         length=8, emb_std=0.6, gain=1.0, greedy=False),
    case("mt5", "MT5ForConditionalGeneration", "encoder-decoder relative-bias gated-gelu untied", {**T5, "feed_forward_proj": "gated-gelu"}),
]
