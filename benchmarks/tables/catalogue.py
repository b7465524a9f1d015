"""Which tables there are: their scenarios, their columns, and which rows take long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        heading: what its head says.
        metric: the metric after the last experience, in percent; `kept` is bytes.
        against: label of the row that is subtracted seed by seed, or empty.
    """

    heading: str
    metric: str
    against: str = ""


@dataclass(frozen=True)
class Table:
    """One table of the measured strategies.

    Attributes:
        name: names its JSON file and its places in pages.
        title: the stream, in a few words.
        scenarios: files in scenarios/; their strategies are its rows, in this order.
        columns: after the strategy's label.
        slow: strategies that take long, which are measured on request.
    """

    name: str
    title: str
    scenarios: tuple[str, ...]
    columns: tuple[Column, ...]
    slow: frozenset[str]


TRAINED: frozenset[str] = frozenset({"finetune", "icarl", "joint", "napa_vq", "pass", "ssre"})
"""Strategies that train the network in every experience."""

DISCOVERING: frozenset[str] = frozenset({"frost", "gcd", "happy", "joint", "protogcd", "simgcd"})
"""The same of those that discover classes, and what bounds them."""

WITH_MANY_SAMPLES = frozenset({"icarl", "joint"})
"""Those of them that do so with more than a few shots."""

ALL = Column("all", "A_all")
BASE = Column("base", "A_base")
NOVEL = Column("novel", "A_novel")
HARMONIC = Column("harmonic mean", "A_hm")
AVERAGE = Column("average", "A_avg_inc")
AGAINST_NMC = Column("against `nmc`", "A_hm", "nmc")
FORGETTING = Column("forgetting", "forgetting")
LABELLED = Column("old", "A_base")
DISCOVERED = Column("novel", "A_novel")
UNLABELLED = tuple(
    Column(f"{name}, unlabelled", f"transductive/A_{part}")
    for name, part in (("all", "all"), ("old", "old"), ("novel", "new"))
)
STAGES = (Column("M_f", "M_f"), Column("M_d", "M_d"))

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "few_shot",
            "Few-shot on `glyphs100`, 60 + 8 x 5-way 5-shot",
            ("glyphs100_fscil.yaml",),
            (ALL, BASE, NOVEL, HARMONIC, AGAINST_NMC, AVERAGE),
            WITH_MANY_SAMPLES,
        ),
        Table(
            "class_incremental",
            "Class-incremental on `glyphs100`, B50-Inc10",
            (
                "glyphs100_b50_inc10.yaml",
                "glyphs100_b50_inc10_icarl.yaml",
                "glyphs100_b50_inc10_no_exemplars.yaml",
            ),
            (ALL, AVERAGE, BASE, NOVEL, FORGETTING, Column("kept", "kept")),
            TRAINED,
        ),
        Table(
            "digits",
            "Few-shot on `digits`, 6 + 2 x 2-way 5-shot",
            ("digits_fscil.yaml",),
            (ALL, BASE, NOVEL, HARMONIC, AGAINST_NMC, FORGETTING),
            WITH_MANY_SAMPLES,
        ),
        Table(
            "generalized_discovery",
            "Generalised category discovery on `glyphs100`, 80 old and 20 novel classes",
            ("glyphs100_gcd.yaml", "glyphs100_gcd_contrastive.yaml", "glyphs100_gcd_joint.yaml"),
            (*UNLABELLED, ALL, LABELLED, DISCOVERED),
            DISCOVERING,
        ),
        Table(
            "continual_discovery",
            "Continual category discovery on `glyphs100`, 50 labelled classes and 5 stages of 10",
            ("glyphs100_cgcd.yaml", "glyphs100_cgcd_joint.yaml"),
            (ALL, LABELLED, DISCOVERED, HARMONIC, *STAGES),
            DISCOVERING,
        ),
        Table(
            "incremental_discovery",
            "Class-incremental discovery on `glyphs100`, 80 labelled classes and 2 stages of 10",
            ("glyphs100_class_incd.yaml", "glyphs100_gcd_joint.yaml"),
            (ALL, LABELLED, DISCOVERED, HARMONIC, FORGETTING),
            DISCOVERING,
        ),
        Table(
            "digits_discovery",
            "Generalised category discovery on `digits`, 5 old and 5 novel classes",
            ("digits_gcd.yaml", "digits_gcd_joint.yaml"),
            (*UNLABELLED, ALL, LABELLED, DISCOVERED),
            DISCOVERING,
        ),
    )
}

METRICS = (
    "A_all", "A_avg_inc", "A_base", "A_novel", "A_hm", "forgetting", "novel_to_base_rate",
    "transductive/A_all", "transductive/A_old", "transductive/A_new", "M_f", "M_d",
    "classes_found", "classes_error",
)  # fmt: skip
"""What is kept of each run that has it."""
