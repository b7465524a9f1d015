from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cilsim.data.dataset import DataFacts


@pytest.fixture
def facts() -> Callable[..., DataFacts]:
    """Return a maker of facts: samples of all classes alternate, so positions tell classes."""

    def make(classes: int, train: int = 6, test: int = 2, first_id: int = 0) -> DataFacts:
        ids = tuple(range(first_id, first_id + classes))
        return DataFacts(
            class_ids=ids,
            class_names=tuple(f"class {class_id}" for class_id in ids),
            y_train=np.tile(np.array(ids), train),
            y_test=np.tile(np.array(ids), test),
            sample_shape=(2,),
        )

    return make
