/** Fields of published config.json files: what the tests of this folder estimate. */
export const llama70b = {
  model_type: "llama",
  hidden_size: 8192,
  intermediate_size: 28_672,
  num_hidden_layers: 80,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
};

export const llama8b = {
  ...llama70b,
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
};

/** Qwen3-235B-A22B with its weights in FP8. */
export const qwen235b = {
  model_type: "qwen3_moe",
  hidden_size: 4096,
  intermediate_size: 12_288,
  num_hidden_layers: 94,
  num_attention_heads: 64,
  num_key_value_heads: 4,
  head_dim: 128,
  vocab_size: 151_936,
  max_position_embeddings: 40_960,
  num_experts: 128,
  num_experts_per_tok: 8,
  moe_intermediate_size: 1536,
  decoder_sparse_step: 1,
  mlp_only_layers: [],
  norm_topk_prob: true,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
};

/** DeepSeek-V2-Lite: latent attention, shared experts, one dense layer. */
export const deepseekLite = {
  model_type: "deepseek_v2",
  hidden_size: 2048,
  num_hidden_layers: 27,
  num_attention_heads: 16,
  num_key_value_heads: 16,
  kv_lora_rank: 512,
  q_lora_rank: null,
  qk_rope_head_dim: 64,
  qk_nope_head_dim: 128,
  v_head_dim: 128,
  intermediate_size: 10_944,
  moe_intermediate_size: 1408,
  n_routed_experts: 64,
  n_shared_experts: 2,
  num_experts_per_tok: 6,
  first_k_dense_replace: 1,
  moe_layer_freq: 1,
  vocab_size: 102_400,
  max_position_embeddings: 163_840,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
};

/** Gemma 2 9B: every other layer sees the last 4,096 tokens; the output head is the embedding. */
export const gemma9b = {
  model_type: "gemma2",
  hidden_size: 3584,
  num_hidden_layers: 42,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 256,
  intermediate_size: 14_336,
  vocab_size: 256_000,
  sliding_window: 4096,
  max_position_embeddings: 8192,
  tie_word_embeddings: true,
  torch_dtype: "bfloat16",
};
