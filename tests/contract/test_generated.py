"""The committed OpenAPI documents are those that the services' code gives. `make openapi` writes them anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
import pytest

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("service", ["users", "orders"])
def test_the_committed_document_is_what_the_code_gives(edge_url: str, service: str):
    answer = httpx.get(f"{edge_url}/api/{service}/openapi.json", trust_env=False)
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    committed = FOLDER / f"{service}.openapi.json"
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("WRITE_OPENAPI"):
        committed.write_text(text)
    assert json.loads(committed.read_text()) == document, (
        "the documents have drifted: `make openapi`, then look at the diff"
    )
