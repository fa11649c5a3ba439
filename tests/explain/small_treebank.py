"""A few sentences in CoNLL-U, written for the tests: nothing of any treebank."""

HEAD = "# sent_id = a1\n# text = La niña vino del jardín.\n"
DEL = HEAD + "\n".join(
    "\t".join(columns)
    for columns in [
        ["1", "La", "el", "DET", "_", "_", "2", "det", "_", "_"],
        ["2", "niña", "niña", "NOUN", "_", "_", "3", "nsubj", "_", "_"],
        ["3", "vino", "venir", "VERB", "_", "_", "0", "root", "_", "_"],
        ["3.1", "fue", "ir", "VERB", "_", "_", "_", "_", "0:root", "_"],
        ["4-5", "del", "_", "_", "_", "_", "_", "_", "_", "_"],
        ["4", "de", "de", "ADP", "_", "_", "6", "case", "_", "_"],
        ["5", "el", "el", "DET", "_", "_", "6", "det", "_", "_"],
        ["6", "jardín", "jardín", "NOUN", "_", "_", "3", "obl:arg", "_", "SpaceAfter=No"],
        ["7", ".", ".", "PUNCT", "_", "_", "3", "punct", "_", "_"],
    ]
)
VERSE = "\n".join(
    "\t".join(columns)
    for columns in [
        ["1-2", "dándole", "_", "_", "_", "_", "_", "_", "_", "_"],
        ["1", "dando", "dar", "VERB", "_", "_", "0", "root", "_", "_"],
        ["2", "le", "él", "PRON", "_", "_", "1", "obj", "_", "_"],
        ["3", "pan", "pan", "NOUN", "_", "_", "1", "obj", "_", "_"],
    ]
)


def simple(words: str, heads: str, relations: str) -> str:
    """A sentence from words, head numbers and relations, separated by spaces."""
    rows = zip(words.split(), heads.split(), relations.split(), strict=True)
    return "\n".join(
        f"{number}\t{word}\t_\t_\t_\t_\t{head}\t{relation}\t_\t_"
        for number, (word, head, relation) in enumerate(rows, 1)
    )


def many(count: int) -> str:
    """`count` sentences, each a determiner, its noun and a verb."""
    animals = ["perro", "gato", "pingüino", "niño", "libro"]
    return "\n\n".join(
        simple(f"el {animals[number % 5]} duerme", "2 3 0", "det nsubj root")
        for number in range(count)
    )
