"""The page at /docs: Swagger UI runs under its security policy, and sends requests."""

from playwright.sync_api import expect

from tests.browser.conftest import Open


def test_the_docs_show_an_operation_and_send_its_request(open_page: Open) -> None:
    opened = open_page("/docs")
    ping = opened.find(".opblock", has_text="/ping")
    ping.locator(".opblock-summary-control").click()
    ping.get_by_role("button", name="Execute").click()
    expect(ping.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
