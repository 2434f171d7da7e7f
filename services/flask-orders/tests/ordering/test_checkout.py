"""Who died during a checkout holds nobody up for long."""

from __future__ import annotations

import pytest
from orders.ordering.checkout import ATTRIBUTE, LASTS_MS, CheckoutUnderWay, begin_checkout, end_checkout
from polysession.testing import START, memory_manager


@pytest.fixture
def tabs():
    """Opens the shopper's session once more, as another request does."""
    manager = memory_manager()
    first = manager.open(None)
    first["cart"] = {"log-glass": 1}
    first.commit()
    return lambda: manager.open(first.token)


def test_another_key_waits_until_the_checkout_has_ended_or_its_time_is_over(tabs):
    begin_checkout(tabs(), "one", now=START)
    with pytest.raises(CheckoutUnderWay):
        begin_checkout(tabs(), "two", now=START + LASTS_MS - 1)
    begin_checkout(tabs(), "one", now=START + 1)
    begin_checkout(tabs(), "two", now=START + 2 * LASTS_MS)
    ending = tabs()
    end_checkout(ending, "two")
    ending.commit()
    begin_checkout(tabs(), "three", now=START + 2 * LASTS_MS)


def test_who_read_the_cart_before_another_checkout_is_refused_after_it(tabs):
    late, other = tabs(), tabs()
    assert late["cart"] == other["cart"]
    begin_checkout(other, "one", now=START)
    end_checkout(other, "one")
    other.commit()
    with pytest.raises(CheckoutUnderWay):
        begin_checkout(late, "two", now=START)


def test_one_key_twice_at_once_is_let_through_twice(tabs):
    one, two = tabs(), tabs()
    assert one["cart"] == two["cart"]
    begin_checkout(one, "one", now=START)
    begin_checkout(two, "one", now=START)
    assert two[ATTRIBUTE]["key"] == "one"
