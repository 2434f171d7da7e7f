from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

FIELDS = {"sku", "name", "category", "summary", "description", "price", "stock", "image"}


def test_the_catalogue_has_36_products_in_its_order(visitor):
    answer = visitor.get("products").get_json()
    assert len(answer["items"]) == 36
    assert answer["items"][0]["sku"] == "meridian-wall-clock"
    assert all(set(item) == FIELDS for item in answer["items"])
    assert len(answer["categories"]) == len(set(answer["categories"])) == 7


def test_prices_are_whole_cents_of_euros_and_images_are_paths(visitor):
    clock = visitor.get("products/meridian-wall-clock").get_json()
    assert clock["price"] == {"amount": 18900, "currency": "EUR"}
    assert clock["image"] == "/products/meridian-wall-clock.svg"


def test_a_category_narrows_the_items_and_not_the_categories(visitor):
    answer = visitor.get("products", query_string={"category": "Clocks"}).get_json()
    assert {item["category"] for item in answer["items"]} == {"Clocks"}
    assert len(answer["categories"]) == 7


def test_every_word_of_a_query_must_be_there(visitor):
    found = visitor.get("products", query_string={"query": "COMPASS field"}).get_json()["items"]
    assert [item["sku"] for item in found] == ["field-compass"]


@pytest.mark.parametrize("query", ["%", "_", "\\", "'", "\0", "\ud7ff"])
def test_a_query_is_text_and_not_a_pattern(visitor, query):
    answer = visitor.get("products", query_string={"query": query})
    assert answer.status_code == 200
    found = answer.get_json()["items"]
    assert all(query in item["name"] + item["category"] + item["summary"] for item in found)
    assert len(found) < 36


def test_a_query_that_is_too_long_is_named(visitor):
    answer = visitor.get("products", query_string={"query": "x" * 101})
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert list(answer.get_json()["errors"]) == ["query"]


@pytest.mark.parametrize("sku", ["no-such-thing", "UPPER", "a b", "x" * 65, "%00"])
def test_an_unknown_product_is_404(visitor, sku):
    answer = visitor.get(f"products/{sku}")
    assert answer.status_code == 404
    assert answer.get_json()["status"] == 404
    assert answer.get_json()["detail"]


def test_the_catalogue_is_there_while_the_session_store_is_away(visitor, store):
    visitor.put("field-notebook", 1)
    store.asked.clear()
    store.away.add("all")
    answer = visitor.get("products")
    assert answer.status_code == 200
    assert "Vary" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert store.asked == []


def test_a_dead_database_is_503_and_says_when_to_try_again(make_app):
    app = make_app(database_url="postgresql://nobody@127.0.0.1:1/orders")
    answer = app.test_client().get("/api/orders/products")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in answer.get_data(as_text=True)


def test_who_asks_next_does_not_notice_that_the_database_was_restarted(visitor, database, server_url):
    with database.begin() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    assert visitor.get("products").status_code == 200
    engine = create_engine(server_url, poolclass=NullPool)
    with engine.connect() as connection:
        # The server closes the pooled connection, as it does when it is stopped.
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    assert visitor.get("products").status_code == 200
    with database.begin() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != pid
