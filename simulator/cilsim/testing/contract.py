"""The contract of a strategy on streams with labels; subclass it and say which strategy."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from cilsim.testing.project import Project
from cilsim.testing.promises import StrategyPromises


class StrategyContract(StrategyPromises):
    """What a strategy on labelled streams must keep to.

    Attributes:
        strategy: the name under which it is registered.
        options: options that a scenario would set for it.
        plugins: plugins that are not installed, as (name, module or object).
        changes: changes to the scenario, such as another backbone.
        forgets: whether it may forget old classes completely, as fine-tuning does.
    """

    forgets: ClassVar[bool] = False

    def test_learns_the_ring_above_chance(self, project: Project) -> None:
        """The newest classes are known; old ones too, unless the strategy is one that forgets."""
        matrix = self.run(project).accuracy_matrix()
        last = len(matrix) - 1
        assert matrix[last, last] > 0.5
        if not self.forgets:
            assert matrix[last, :last].mean() > 0.5

    def test_predicts_only_classes_seen_so_far(self, project: Project) -> None:
        """The number of scores grows with the classes seen."""
        for stored in self.run(project).predictions():
            assert np.isin(stored["predicted"], np.unique(stored["label"])).all()

    def test_one_class_per_experience(self, project: Project) -> None:
        """A stream of single classes runs."""
        stream = {"kind": "class_incremental", "experiences": 10}
        assert len(self.run(project, stream=stream).accuracy_matrix()) == 10

    def test_uneven_experiences_and_a_last_batch_of_one(self, project: Project) -> None:
        """Sizes may differ, and so may the last batch."""
        stream = {"kind": "class_incremental", "sizes": [5, 1, 3]}
        recipe = {**self.recipe, "epochs": 2, "batch_size": 59}
        files = self.run(project, stream=stream, base_training=recipe, training=recipe)
        assert len(files.accuracy_matrix()) == 3
