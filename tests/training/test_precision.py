import pytest
import torch

from cilsim.errors import CilsimError
from cilsim.training.precision import autocast, loss_scaler

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_products_have_the_precision_asked_for(precision, dtype):
    with autocast(precision, CPU):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == dtype


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_loss_is_not_scaled_where_the_range_is_that_of_float32(precision):
    assert loss_scaler(precision, CPU) is None


@pytest.mark.parametrize("function", [autocast, loss_scaler])
def test_fp16_on_a_cpu_is_refused(function):
    with pytest.raises(CilsimError) as caught:
        function("fp16", CPU)
    assert str(caught.value) == (
        "precision 'fp16' needs a CUDA device, this run is on 'cpu'; use 'bf16' or 'float32'"
    )
