import type { Template } from "../template.js";
import { chatTemplate } from "./chat.js";

/**
 * ChatML, as Qwen and many others use it. The form is that of OpenAI's `chatml.md`; the text is equal to that of
 * `apply_chat_template` for the template of teknium/OpenHermes-2.5-Mistral-7B (tests/parity/make_chat_goldens.py).
 */
export const chatml: Template = chatTemplate({
  name: "chatml",
  format: "ift",
  chatTemplate:
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
    "{% if add_generation_prompt %}<|im_start|>assistant\n{{ '' }}{% endif %}",
  specialTokens: ["<|im_start|>", "<|im_end|>"],
});

/** Llama 3, as in the tokenizer_config.json of meta-llama/Meta-Llama-3-8B-Instruct: contents are trimmed. */
export const llama3: Template = chatTemplate({
  name: "llama3",
  format: "ift",
  chatTemplate:
    "{% for message in messages %}{{ bos_token if loop.first else '' }}" +
    "<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n{{ message.content | trim }}<|eot_id|>{% endfor %}" +
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{{ '' }}{% endif %}",
  specialTokens: ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
  bosToken: "<|begin_of_text|>",
  eosToken: "<|eot_id|>",
});

/** Gemma, as in the tokenizer_config.json of google/gemma-7b-it: no system prompt, the assistant is the "model". */
export const gemma: Template = chatTemplate({
  name: "gemma",
  format: "ift",
  chatTemplate:
    "{{ bos_token }}{% for message in messages %}" +
    "{% if message.role == 'system' %}{{ raise_exception('there is no system prompt in this format') }}{% endif %}" +
    "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}" +
    "{{ raise_exception('user and assistant must take turns') }}{% endif %}" +
    "<start_of_turn>{{ 'model' if message.role == 'assistant' else message.role }}\n" +
    "{{ message.content | trim }}<end_of_turn>\n{% endfor %}" +
    "{% if add_generation_prompt %}<start_of_turn>model\n{{ '' }}{% endif %}",
  specialTokens: ["<start_of_turn>", "<end_of_turn>"],
  bosToken: "<bos>",
  eosToken: "<eos>",
});
