from __future__ import annotations

import pytest
from sqlalchemy import text

FIELDS = {"sku", "name", "category", "summary", "description", "price", "stock", "image"}


def test_the_catalogue_has_36_products_in_its_order(browser):
    answer = browser.get("products").get_json()
    assert len(answer["items"]) == 36
    assert answer["items"][0]["sku"] == "meridian-wall-clock"
    assert all(set(item) == FIELDS for item in answer["items"])
    assert len(answer["categories"]) == len(set(answer["categories"])) == 7


def test_prices_are_whole_cents_of_euros_and_images_are_paths(browser):
    clock = browser.get("products/meridian-wall-clock").get_json()
    assert clock["price"] == {"amount": 18900, "currency": "EUR"}
    assert clock["image"] == "/products/meridian-wall-clock.svg"


def test_a_category_narrows_the_items_and_not_the_categories(browser):
    answer = browser.get("products", query_string={"category": "Clocks"}).get_json()
    assert {item["category"] for item in answer["items"]} == {"Clocks"}
    assert len(answer["categories"]) == 7


def test_every_word_of_a_query_must_be_there(browser):
    found = browser.get("products", query_string={"query": "COMPASS field"}).get_json()["items"]
    assert [item["sku"] for item in found] == ["field-compass"]


@pytest.mark.parametrize("query", ["%", "_", "\\", "'", "\0", "\ud7ff"])
def test_a_query_is_text_and_not_a_pattern(browser, query):
    answer = browser.get("products", query_string={"query": query})
    assert answer.status_code == 200
    found = answer.get_json()["items"]
    assert all(query in item["name"] + item["category"] + item["summary"] for item in found)
    assert len(found) < 36


def test_a_query_that_is_too_long_is_named(browser):
    answer = browser.get("products", query_string={"query": "x" * 101})
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert list(answer.get_json()["errors"]) == ["query"]


@pytest.mark.parametrize("sku", ["no-such-thing", "UPPER", "a b", "x" * 65, "%00"])
def test_an_unknown_product_is_404(browser, sku):
    answer = browser.get(f"products/{sku}")
    assert answer.status_code == 404
    assert answer.get_json()["status"] == 404
    assert answer.get_json()["detail"]


def test_the_catalogue_asks_no_session(browser, sessions, monkeypatch):
    browser.put("field-notebook", 1)
    monkeypatch.setattr(sessions, "open", refuse_to_read(sessions.open))
    answer = browser.get("products")
    assert answer.status_code == 200
    assert "Vary" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def refuse_to_read(open_session):
    def opened(*args, **options):
        session = open_session(*args, **options)
        return session

    return opened


def test_a_dead_database_is_503_and_says_when_to_try_again(make_app):
    app = make_app(database_url="postgresql://nobody@127.0.0.1:1/orders")
    answer = app.test_client().get("/api/orders/products")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in answer.get_data(as_text=True)


def test_a_database_that_was_restarted_is_not_noticed_by_who_asks_next(browser, database):
    assert browser.get("products").status_code == 200
    with database.begin() as session:
        mine = session.scalar(text("SELECT pg_backend_pid()"))
    # Every pooled connection is closed by the server, as at a restart.
    with database.engine.connect() as connection:
        others = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(others)
    with database.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert mine
    assert browser.get("products").status_code == 200
