"""A click is one trace: browser, edge, Flask, Django, SQL and Redis."""

from __future__ import annotations

from tests.e2e import pages
from tests.spans import has, spans_of


def test_the_click_that_orders_is_one_trace_with_the_session_on_every_span(new_page, shopper, traces):
    page = new_page()
    pages.sign_up(page, shopper)
    pages.add_to_cart(page, "steel-rule")
    page.goto("/checkout")
    with page.expect_request(lambda r: r.method == "POST" and r.url.endswith("/api/orders/orders")) as sent:
        page.get_by_role("button", name="Place the order").click()
    trace_id = sent.value.all_headers()["traceparent"].split("-")[1]
    session_id = page.evaluate("fetch('/api/users/sessions/current').then((a) => a.json()).then((a) => a.id)")
    services = {"react-shell", "edge", "flask-orders", "django-users"}
    spans = spans_of(traces.wait(trace_id, has(services, spans=10), seconds=30))
    systems = {span["attributes"].get("db.system.name") for span in spans}
    assert {"postgresql", "redis"} <= systems
    ids = {span["spanID"] for span in spans}
    roots = [s for s in spans if not s["references"] or s["references"][0]["spanID"] not in ids]
    assert [root["service"] for root in roots] == ["react-shell"]
    without = [
        (s["service"], s["operationName"]) for s in spans if s["attributes"].get("session.id") != session_id
    ]
    assert without == []
