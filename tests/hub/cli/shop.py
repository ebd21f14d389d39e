"""Small Shopify orders with round figures, and the command run on them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from hub.cli import app


def order(
    id: int = 1001,
    *,
    sku: str | None = "TENT-2P-GRN",
    price: str = "249.00",
    paid: bool = True,
    total: str | None = None,
) -> dict[str, Any]:
    """An order of one unit without tax or shipping, captured in full where `paid`; its name is #<id>."""
    transactions = []
    if paid:
        transactions.append(
            {
                "id": id * 10 + 2,
                "order_id": id,
                "kind": "sale",
                "status": "success",
                "gateway": "shopify_payments",
                "amount": price,
                "currency": "USD",
                "created_at": "2026-03-02T10:00:01-05:00",
                "processed_at": "2026-03-02T10:00:01-05:00",
                "test": False,
            }
        )
    return {
        "id": id,
        "name": f"#{id}",
        "created_at": "2026-03-02T10:00:00-05:00",
        "processed_at": "2026-03-02T10:00:00-05:00",
        "updated_at": "2026-03-02T10:00:05-05:00",
        "currency": "USD",
        "presentment_currency": "USD",
        "financial_status": "paid" if paid else "pending",
        "fulfillment_status": None,
        "taxes_included": False,
        "test": False,
        "total_price": total or price,
        "subtotal_price": price,
        "total_line_items_price": price,
        "total_discounts": "0.00",
        "total_tax": "0.00",
        "tax_lines": [],
        "discount_applications": [],
        "shipping_lines": [],
        "payment_gateway_names": ["shopify_payments"],
        "line_items": [
            {
                "id": id * 10 + 1,
                "sku": sku,
                "variant_id": 77,
                "product_id": 7,
                "title": "Ridge Tent",
                "name": "Ridge Tent",
                "quantity": 1,
                "current_quantity": 1,
                "price": price,
                "total_discount": "0.00",
                "discount_allocations": [],
                "tax_lines": [],
                "requires_shipping": True,
                "gift_card": False,
                "taxable": True,
            }
        ],
        "fulfillments": [],
        "refunds": [],
        "transactions": transactions,
    }


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Orderhub:
    """The command on a home of its own."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> Ran:
        """The command as a person would type it, tables 100 columns wide."""
        result = CliRunner().invoke(app, [*arguments, "--home", str(self.home)], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def json(self, *arguments: str, stdin: bytes | None = None) -> Any:
        """What the command answers as JSON; it must succeed."""
        ran = self(*arguments, "--format", "json", stdin=stdin)
        assert ran.status == 0, ran.err
        return ran.json

    def file(self, content: Any, name: str = "orders.json") -> str:
        """A file with this content, as JSON unless it is bytes already."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)
