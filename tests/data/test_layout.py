import pytest
import torch

from cilsim.data.layout import with_layout


@pytest.mark.parametrize("channels_last", [False, True], ids=["ordinary", "channels_last"])
@pytest.mark.parametrize("came_as", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("shape", [(4, 3, 5, 7), (4, 1, 5, 7), (4, 3, 1, 1)], ids=str)
def test_strides_are_exactly_those_of_the_layout(shape, came_as, channels_last):
    tensor = torch.randn(shape).to(memory_format=came_as)
    laid_out = with_layout(tensor, channels_last)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert laid_out.stride() == torch.empty(shape, memory_format=layout).stride()
    assert torch.equal(laid_out, tensor)


def test_a_tensor_that_has_the_layout_is_not_copied():
    tensor = torch.randn(2, 3, 4, 5)
    assert with_layout(tensor, channels_last=False) is tensor
