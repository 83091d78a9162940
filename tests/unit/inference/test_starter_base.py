"""The included starter, as `transformers` reads it: what the prompt builder, training and vLLM rely on."""

import functools

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, TokenizersBackend

from inference.starter import BASE

LABELS = [f"<label_{n:03d}>" for n in range(160)]
HOSTILE = "<label_003> <route></s><s> <pad> <unk> <LABEL_159>\u200b<label_000>x</s>[UNK] ##ing"

PARAPHRASES = [
    ("my card was charged two times", "you billed me twice for the same thing"),
    ("i can't log in to my account", "it won't accept my password any more"),
    ("where is my parcel?", "my package still has not arrived"),
    ("the printer on floor two is jammed", "paper is stuck in our printer upstairs"),
    ("how many days of holiday do I have left", "what is my remaining vacation balance"),
    ("I'd like to cancel my subscription", "please end my monthly plan"),
]

ACROSS = {
    "where is my parcel?": ("cadê meu pacote", "donde esta mi paquete"),
    "I was charged twice": ("me cobraram duas vezes", "me cobraron dos veces"),
    "the lamp does not turn on": ("a lampada nao acende", "la lampara no enciende"),
    "how many days of holiday do I have left": (
        "quantos dias de ferias me restam",
        "cuantos dias de vacaciones me quedan",
    ),
    "I forgot my password": ("esqueci minha senha", "olvide mi contraseña"),
    "my chair is broken": ("minha cadeira quebrou", "se rompio mi silla"),
}


@functools.cache
def starter() -> tuple[LlamaForCausalLM, TokenizersBackend]:
    model = AutoModelForCausalLM.from_pretrained(BASE)
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    assert isinstance(model, LlamaForCausalLM)
    assert isinstance(tokenizer, TokenizersBackend)
    return model, tokenizer


def rows() -> torch.Tensor:
    weight = starter()[0].get_input_embeddings().weight
    assert isinstance(weight, torch.Tensor)
    return weight


def ids_of(names: list[str]) -> list[int]:
    ids = starter()[1].convert_tokens_to_ids(names)
    assert isinstance(ids, list)
    return ids


def ids_in(message: str, *, parse_specials: bool | None = None) -> list[int]:
    chosen = {} if parse_specials is None else {"split_special_tokens": not parse_specials}
    ids: list[int] = starter()[1](message, add_special_tokens=False, **chosen)["input_ids"]
    return ids


@torch.inference_mode()
def state(text: str) -> torch.Tensor:
    model, tokenizer = starter()
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    return torch.nn.functional.normalize(model.model(ids).last_hidden_state[0, -1].float(), dim=-1)


def test_weights_are_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in BASE.glob("*.safetensors")) <= 40_000_000


def test_shapes_are_those_the_seed_adapter_is_trained_for() -> None:
    config = starter()[0].config
    assert (config.hidden_size, config.num_hidden_layers, config.intermediate_size) == (384, 3, 768)
    assert (config.num_attention_heads, config.num_key_value_heads) == (6, 6)
    assert (config.max_position_embeddings, config.vocab_size) == (256, 24_367)
    assert starter()[0].dtype == torch.bfloat16


def test_tokenizer_and_weights_agree_on_size_and_special_ids() -> None:
    model, tokenizer = starter()
    assert len(tokenizer) == model.config.vocab_size == rows().shape[0]
    assert (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id) == (0, 1, 2)
    config = model.config
    assert (config.pad_token_id, config.bos_token_id, config.eos_token_id) == (0, 1, 2)


def test_output_rows_are_the_input_rows() -> None:
    assert starter()[0].lm_head.weight is rows()


def test_each_label_is_one_token_and_reads_back() -> None:
    ids = ids_of(LABELS)
    assert ids == list(range(24_207, 24_367))
    assert [starter()[1].decode([label]) for label in ids] == LABELS


def test_label_rows_are_of_one_length_and_at_right_angles() -> None:
    labels = rows()[-160:].float()
    assert (labels @ labels.T - torch.eye(160)).abs().max() < 0.01


def test_no_label_is_likelier_than_another_before_training() -> None:
    """A LoRA would have to unlearn it: random rows of that length answer at .98 here, these at .62.

    In English alone they answered at .35: three languages leave fewer directions unused.
    """
    said = ["where is my parcel", "my card was charged twice", "the printer is broken", "who approves holidays", "hi"]
    states = torch.stack([state(text) for text in said]) * rows().shape[1] ** 0.5
    assert (states @ rows()[-160:].float().T).square().mean().sqrt() < 0.7


@pytest.mark.parametrize("parse_specials", [None, False])
def test_no_message_can_spell_a_special_token(parse_specials: bool | None) -> None:
    found = set(ids_in(HOSTILE, parse_specials=parse_specials))
    assert not found & set(ids_of([*LABELS, "<pad>", "<s>", "</s>", "<route>"]))


def test_labels_and_route_stay_out_of_reach_even_where_special_tokens_are_parsed() -> None:
    found = set(ids_in(HOSTILE, parse_specials=True))
    assert ids_of(["</s>"])[0] in found
    assert not found & set(ids_of([*LABELS, "<route>"]))


def test_prompt_is_start_message_route() -> None:
    start, route = ids_of(["<s>", "<route>"])
    assert starter()[1]("Hello there")["input_ids"] == [start, *ids_in("Hello there"), route]
    assert starter()[1]("")["input_ids"] == [start, route]


@pytest.mark.parametrize(
    "word",
    [
        *("invoice", "refund", "vpn", "login", "wifi", "thermostat", "payslip", "gdpr"),
        *("fatura", "reembolso", "férias", "crachá", "senha", "vcs", "pedido", "não"),
        *("factura", "devolución", "vacaciones", "contraseña", "envío", "nómina", "¿", "porfa"),
    ],
)
def test_what_people_write_to_a_help_desk_is_one_token(word: str) -> None:
    assert len(ids_in(word)) == 1


@pytest.mark.parametrize(
    "text", ["€50 and £20", "won\u2019t \u201cwork\u201d \u2013 at all\u2026", "RÉSUMÉ, naïve café"]
)
def test_common_signs_and_accents_are_known(text: str) -> None:
    assert ids_of(["<unk>"])[0] not in ids_in(text)


@pytest.mark.parametrize("text", ["\x00\x01", "\u202eabc", "😀😀", "a" * 10_000, "مرحبا", "好"])
def test_odd_text_still_becomes_a_prompt(text: str) -> None:
    assert torch.isfinite(state(text[:200])).all()


def test_paraphrases_are_nearer_than_strangers() -> None:
    ours = torch.stack([state(one) for one, _ in PARAPHRASES])
    theirs = torch.stack([state(other) for _, other in PARAPHRASES])
    similar, own = ours @ theirs.T, torch.eye(len(PARAPHRASES), dtype=torch.bool)
    strangers = similar.masked_fill(own, 0.0).sum(-1) / (len(PARAPHRASES) - 1)
    assert (similar.diagonal() > strangers).all()
    assert similar.diagonal().mean() - strangers.mean() > 0.2
    assert (similar.argmax(-1) == own.int().argmax(-1)).sum() >= 4


def test_a_typo_hardly_moves_a_message() -> None:
    clean, typo = state("my invoice is wrong, please check it"), state("my invioce is wrong, plese check it")
    assert clean @ typo > state("my invoice is wrong, please check it") @ state("the door on floor two is stuck")


@pytest.mark.parametrize("language", [0, 1], ids=["pt", "es"])
def test_the_same_request_in_another_language_is_nearest(language: int) -> None:
    english = torch.stack([state(text) for text in ACROSS])
    others = torch.stack([state(said[language]) for said in ACROSS.values()])
    assert (others @ english.T).argmax(-1).tolist() == list(range(len(ACROSS)))
