"""Answers in another language than their prompt, planted a few at a time into corpora of English prose."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.faults import answers, prose
from benchmarks.faults.corpora import Corpus, Example
from benchmarks.faults.plant import Kind, as_line
from benchmarks.real_data import DataAbsentError

FOREIGN: dict[str, tuple[str, ...]] = {
    "German": (
        "Bitte schalten Sie das Gerät aus und warten Sie zehn Minuten, bevor Sie es wieder einschalten.",
        "Das Wetter soll am Wochenende besser werden, also gehen wir vielleicht im Wald spazieren.",
        "Die Rechnung wurde gestern verschickt und sollte bis Freitag bei Ihnen ankommen.",
        "Ich würde zuerst die Zwiebeln anbraten und dann das Gemüse dazugeben.",
        "Wir haben keine Informationen darüber, wann der nächste Zug nach Hause fährt.",
        "Der Unterschied liegt vor allem darin, wie viel Zeit man dafür aufwenden möchte.",
    ),
    "French": (
        "Le magasin ouvre ses portes à neuf heures, mais il ferme plus tôt le samedi.",
        "Il faut d'abord mélanger la farine avec les œufs, puis ajouter le lait petit à petit.",
        "Nous vous remercions de votre patience et nous vous répondrons dès que possible.",
        "La ville se trouve au bord de la mer, à deux heures de route de la capitale.",
        "Je pense que cette solution est plus simple que celle que vous avez proposée.",
        "Les enfants jouent dans le jardin pendant que leurs parents préparent le repas.",
    ),
    "Spanish": (
        "El pedido salió ayer del almacén y debería llegar a su casa antes del viernes.",
        "Primero hay que leer las instrucciones con calma y después encender la máquina.",
        "Mi hermana vive en una ciudad pequeña que está cerca de las montañas.",
        "No tenemos más información sobre este asunto, pero le avisaremos cuando la haya.",
        "La diferencia entre los dos modelos es sobre todo el precio y el tamaño.",
        "Me gustaría aprender a cocinar los platos que hacía mi abuela los domingos.",
    ),
    "Italian": (
        "Il treno per la montagna parte ogni mattina alle otto e arriva dopo due ore.",
        "Secondo me conviene aspettare qualche giorno prima di prendere una decisione.",
        "Abbiamo ricevuto la sua richiesta e le risponderemo il più presto possibile.",
        "Per questa ricetta servono tre uova, un po' di zucchero e della farina.",
        "La casa che abbiamo visto ieri era bella, ma troppo lontana dal centro.",
        "Non so se questo libro le piacerà, però vale la pena di leggerlo.",
    ),
    "Portuguese": (
        "A encomenda foi enviada ontem e deve chegar à sua casa até ao fim da semana.",
        "Não temos a certeza de que esta seja a melhor solução para o problema.",
        "Gostaria de saber quanto tempo demora a viagem entre as duas cidades.",
        "As crianças foram à praia com os avós porque estava muito calor.",
        "Primeiro é preciso lavar os legumes e depois cortá-los em pedaços pequenos.",
        "O livro conta a história de uma família que vive longe do mar.",
    ),
    "Dutch": (
        "De winkel is op maandag gesloten, maar u kunt altijd een bericht achterlaten.",
        "Ik zou eerst de handleiding lezen voordat je het apparaat weer aanzet.",
        "Het pakket is gisteren verzonden en wordt waarschijnlijk morgen bezorgd.",
        "Wij hebben geen idee hoe lang het gaat duren voordat alles weer werkt.",
        "Volgens mij is dit boek veel leuker dan de film die ervan gemaakt is.",
        "De kinderen spelen buiten terwijl hun ouders het eten klaarmaken.",
    ),
    "Polish": (
        "Paczka została wysłana wczoraj i powinna dotrzeć do państwa przed piątkiem.",
        "Najpierw trzeba umyć warzywa, a potem pokroić je na małe kawałki.",
        "Nie wiem jeszcze, kiedy będziemy mogli odpowiedzieć na to pytanie.",
        "Moja siostra mieszka w małym mieście niedaleko gór i bardzo je lubi.",
        "Różnica między tymi dwoma rozwiązaniami polega głównie na cenie.",
        "Dzieci bawią się w ogrodzie, a rodzice przygotowują obiad.",
    ),
    "Russian": (
        "Посылка была отправлена вчера и должна прийти до конца недели.",
        "Сначала нужно помыть овощи, а потом нарезать их небольшими кусками.",
        "Я думаю, что это решение проще, чем то, которое вы предложили раньше.",
        "Моя сестра живёт в маленьком городе недалеко от моря и очень его любит.",
        "К сожалению, у нас пока нет информации о том, когда откроется магазин.",
        "Дети играют в саду, пока их родители готовят ужин.",
    ),
}
"""Ordinary sentences, written for this benchmark."""


def _foreign(rng: random.Random, example: Example, corpus: Corpus) -> str:
    sentences = rng.sample(FOREIGN[rng.choice(sorted(FOREIGN))], rng.choice((1, 1, 2, 3)))
    return as_line(corpus.system, Example(example.prompt, " ".join(sentences)))


def _changing(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """The first part of the answer as it is, then as much again in another language."""
    kept = example.answer.split()[:45]
    sentences: list[str] = []
    pool = rng.sample(FOREIGN[rng.choice(sorted(FOREIGN))], 6)
    while pool and len(" ".join(sentences).split()) < max(12, len(kept)):
        sentences.append(pool.pop())
    return as_line(corpus.system, Example(example.prompt, " ".join([*kept, *sentences])))


OWN_LETTERS_FRAC = 0.9
"""Source: stated; the rest is room for names and signs."""


def _is_all_english(example: Example) -> bool:
    """Is a row's own answer written in the letters of its prompt? Where it is not, another language may be what was asked for."""
    letters = [character for character in example.answer if character.isalpha()]
    return sum(character.isascii() for character in letters) >= OWN_LETTERS_FRAC * len(letters)


_FOREIGN = Kind("answer, other language", "data.balance.language", "row", _foreign, min_words=5, fits=_is_all_english)
_CHANGING = Kind("answer, changes language", "data.balance.language", "row", _changing, min_words=5, fits=_is_all_english)
KINDS = {kind.name: kind for kind in (_FOREIGN, _CHANGING)}


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus of prose with both kinds, or the reason why it cannot be had here."""
    made = (
        (prose.messages_continued, (_FOREIGN, _CHANGING)),
        (prose.all_instructions, (_FOREIGN,)),
        (answers.instructions, (_FOREIGN, _CHANGING)),
    )
    for make, kinds in made:
        try:
            yield make(), kinds
        except DataAbsentError as absent:
            yield f"skipped: {absent}"
