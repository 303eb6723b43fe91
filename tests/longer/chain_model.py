"""Writes a model for llama.cpp that says one sentence: `chain_model.py FILE SENTENCE [endless]`.

Runs in the longer suite's environment, which has `gguf`. The file is a Llama of one layer whose
attention and feed-forward are all zero, so that the residual stream at the end is the embedding
of the last token, which is one-hot; the output matrix then is a Markov chain's table, written
here by hand: its row is the next token, its column the last, its entry the logit.

After anything that is no word of the sentence comes its first word, after a word the next one,
after the last the end, or with `endless` the first again. Where a grammar forbids all that, the
bytes of `_LEANINGS` are what is said next, which brings JSON to its end.
"""

import sys
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

_CONTROLS = ("<unk>", "<s>", "</s>")
_UNKNOWN, _BEGIN, _END = range(len(_CONTROLS))
_BYTES = 256
_HEAD = 32
"""Width of the one attention head and of the feed-forward, which do nothing."""

_CONTEXT = 131_072
_EPSILON = 1e-6
_CERTAIN = 60.0
"""Logit of the next word: its probability rounds to 1, even after a penalty for repetition."""

# Logits of bytes where a grammar forbids words: first whatever closes, then what goes on.
_LEANINGS = {'"': 50.0, "}": 40.0, ",": 30.0, "8": 20.0, "m": 10.0}

_SPACE = "\u2581"
"""How the tokenizer writes a space."""


def tokens_of(sentence: str) -> list[str]:
    """The vocabulary: control tokens, all bytes, then the words, each but the first with its space.

    Raises ValueError for a sentence with one word twice, whose chain would not know which it is.
    """
    first, *rest = sentence.split()
    words = [first, *(_SPACE + word for word in rest)]
    if len(set(words)) < len(words):
        raise ValueError(f"a word occurs twice in '{sentence}'")
    return [*_CONTROLS, *(f"<0x{byte:02X}>" for byte in range(_BYTES)), *words]


def chain(size: int, endless: bool) -> NDArray[np.float32]:
    """The logits: [next, last], for a vocabulary of `size` tokens."""
    first = len(_CONTROLS) + _BYTES
    table = np.zeros((size, size), np.float32)
    for letter, leaning in _LEANINGS.items():
        table[len(_CONTROLS) + ord(letter)] = leaning
    table[first, :first] = _CERTAIN
    for word in range(first, size - 1):
        table[word + 1, word] = _CERTAIN
    table[first if endless else _END, size - 1] = _CERTAIN
    return table


def write(path: Path, sentence: str, *, endless: bool) -> None:
    """Writes the model."""
    tokens = tokens_of(sentence)
    width = -(-len(tokens) // _HEAD) * _HEAD
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, width)
    _add_vocabulary(writer, tokens)
    # The norm before the output scales a one-hot vector to this.
    height = 1 / np.sqrt(1 / width + _EPSILON)
    embeddings = np.eye(len(tokens), width, dtype=np.float32)
    output = np.zeros((len(tokens), width), np.float32)
    output[:, : len(tokens)] = chain(len(tokens), endless) / height
    writer.add_tensor("token_embd.weight", embeddings)
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    writer.add_tensor("output.weight", output)
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones(width, np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros((_HEAD, width), np.float32))
    for name in ("attn_output", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros((width, _HEAD), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter, width: int) -> None:
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_HEAD)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(_HEAD)
    writer.add_value_length(_HEAD)
    writer.add_rope_dimension_count(_HEAD)
    writer.add_layer_norm_rms_eps(_EPSILON)


def _add_vocabulary(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    words = len(tokens) - len(_CONTROLS) - _BYTES
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    kinds += [gguf.TokenType.BYTE] * _BYTES + [gguf.TokenType.NORMAL] * words
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_unk_token_id(_UNKNOWN)
    writer.add_bos_token_id(_BEGIN)
    writer.add_eos_token_id(_END)


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], endless=sys.argv[3:] == ["endless"])
