from __future__ import annotations

import pytest

from cilsim.scenario.scalars import ScalarRefused, looks_like_other_than_text, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("5.0", 5.0),
        (".5", 0.5),
        ("-1.", -1.0),
        ("10", 10),
        ("010", 10),
        ("-007", -7),
        ("0o10", 8),
        ("0x1F", 31),
        ("+3", 3),
        ("9223372036854775807", 2**63 - 1),
        ("0" * 5000 + "1", 1),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("0b11", "0b11"),
        ("\u0661", "\u0661"),
        ("1\n", "1\n"),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text, value):
    assert (type(resolve(text)), resolve(text)) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".inf", "expected a finite number, found .inf"),
        ("-.INF", "expected a finite number, found -.INF"),
        (".nan", "expected a finite number, found .nan"),
        ("1e999", "expected a number below 1e308, found 1e999"),
        ("9223372036854775808", "expected an integer below 2^63, found 9223372036854775808"),
        ("9" * 5000, f"expected an integer below 2^63, found {'9' * 57}..."),
    ],
)
def test_numbers_beyond_64_bits_are_refused(text, message):
    with pytest.raises(ScalarRefused) as refused:
        resolve(text)
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["no", "On", "1e-3", "null", "", ".inf", "y", "0o7"])
def test_text_that_looks_like_something_else_is_told(text):
    assert looks_like_other_than_text(text)


@pytest.mark.parametrize("text", ["five", "1:30", "nope", "a 1"])
def test_text_that_looks_like_text_is_not_told(text):
    assert not looks_like_other_than_text(text)
