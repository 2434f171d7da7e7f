"""The products' table and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import CheckConstraint, Index, Integer, Text, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from orders.database import Base
from orders.money import Money


class Product(Base):
    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_cents > 0", name="products_price_positive"),
        CheckConstraint("stock >= 0", name="products_stock_not_negative"),
        Index("products_category_position", "category", "position"),
    )

    sku: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    price_cents: Mapped[int] = mapped_column(Integer)
    stock: Mapped[int] = mapped_column(Integer)

    @property
    def price(self) -> Money:
        return Money(self.price_cents)

    @property
    def image(self) -> str:
        return image_of(self.sku)


def image_of(sku: str) -> str:
    """A path on the shell's origin."""
    return f"/products/{sku}.svg"


def find_product(session: Session, sku: str) -> Product | None:
    return session.get(Product, sku)


def find_products(session: Session, skus: Iterable[str]) -> dict[str, Product]:
    """By SKU; those that are not sold are missing."""
    wanted = sorted(set(skus))
    if not wanted:
        return {}
    found = session.scalars(select(Product).where(Product.sku.in_(wanted)))
    return {product.sku: product for product in found}


def search_products(session: Session, *, words: str = "", category: str = "") -> Sequence[Product]:
    """In the catalogue's order. Every word of ``words`` is somewhere in name, category or summary."""
    statement = select(Product).order_by(Product.position)
    if category:
        statement = statement.where(Product.category == category)
    for word in words.split():
        columns = (Product.name, Product.category, Product.summary)
        statement = statement.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return session.scalars(statement).all()


def list_categories(session: Session) -> Sequence[str]:
    """Each once, in the order of its first product."""
    categories = session.scalars(select(Product.category).order_by(Product.position))
    return list(dict.fromkeys(categories))
