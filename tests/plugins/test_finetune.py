from __future__ import annotations

import numpy as np

from cilsim.testing import Project, StrategyContract


class TestFinetune(StrategyContract):
    strategy = "finetune"
    forgets = True

    def test_forgets_the_first_three_experiences_completely(self, project: Project) -> None:
        """The known answer of the ring: without a remedy, momentum erases old classes."""
        last = self.run(project).accuracy_matrix()[-1]
        np.testing.assert_array_equal(last[:3], [0.0, 0.0, 0.0])
        assert last[4] == 1.0

    def test_keeps_nothing(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        assert outcome.results[0].evaluations[-1].kept == {}
