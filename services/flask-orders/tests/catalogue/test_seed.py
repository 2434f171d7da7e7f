from __future__ import annotations

from orders.catalogue.model import Product
from orders.catalogue.seed import seed_catalogue
from orders.database import Database
from orders.migrate import migrate
from sqlalchemy import select, text, update


def test_migrating_again_renews_the_words_and_leaves_the_stock(make_database):
    url = make_database()
    assert migrate(url) == 36
    database = Database(url)
    with database.begin() as session:
        session.execute(update(Product).where(Product.sku == "slide-rule").values(stock=1, name="Old name"))
    assert migrate(url) == 36
    with database.begin() as session:
        rule = session.scalar(select(Product).where(Product.sku == "slide-rule"))
        assert rule is not None
        assert (rule.name, rule.stock) == ("Slide rule", 1)
    database.close()


def test_a_product_that_left_the_file_stays_for_who_has_it(make_database):
    url = make_database()
    migrate(url)
    database = Database(url)
    with database.begin() as session:
        session.add(
            Product(
                sku="gone",
                position=99,
                name="Gone",
                category="Old",
                summary="",
                description="",
                price_cents=1,
                stock=0,
            )
        )
    with database.engine.begin() as connection:
        seed_catalogue(connection)
        assert connection.scalar(text("SELECT count(*) FROM products")) == 37
    database.close()
