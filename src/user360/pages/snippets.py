"""How to send something from elsewhere: a few lines a language, to be copied as they are."""

from __future__ import annotations

import msgspec

KEY = "YOUR_KEY"


class Snippet(msgspec.Struct, frozen=True):
    """One way to send: what has to be there first, and the lines."""

    name: str
    title: str
    first: str
    text: str


CURL = """curl {url}/v1/track --user {key}: \\
  --header 'Content-Type: application/json' \\
  --data '{"userId": "ana@example.com", "event": "Order Completed",
           "properties": {"amount": 18.5, "sku": "cd-118"}}'
"""
PYTHON = """import segment.analytics as analytics

analytics.write_key = "{key}"
analytics.host = "{url}"

analytics.identify("ana@example.com", {"firstName": "Ana", "country": "BR"})
analytics.track("ana@example.com", "Order Completed", {"amount": 18.5, "sku": "cd-118"})
analytics.shutdown()  # sends what still waits
"""
NODE = """import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({
  writeKey: "{key}",
  host: "{url}",
});

analytics.identify({ userId: "ana@example.com", traits: { firstName: "Ana", country: "BR" } });
analytics.track({
  userId: "ana@example.com",
  event: "Order Completed",
  properties: { amount: 18.5, sku: "cd-118" },
});
await analytics.closeAndFlush();
"""
BROWSER = """import { AnalyticsBrowser } from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load({
  writeKey: "{key}",
  cdnURL: "{url}",
});

analytics.page();
analytics.identify("ana@example.com", { firstName: "Ana", country: "BR" });
analytics.track("Order Completed", { amount: 18.5, sku: "cd-118" });
"""
# `{key}` and `{url}` stand in all of them.
ALL = (
    Snippet("curl", "curl", "", CURL),
    Snippet("python", "Python", "pip install segment-analytics-python", PYTHON),
    Snippet("node", "Node", "npm install @segment/analytics-node", NODE),
    Snippet("browser", "Browser", "npm install @segment/analytics-next", BROWSER),
)


def filled(url: str, key: str = KEY) -> list[Snippet]:
    """The snippets for this server and a key."""
    return [
        msgspec.structs.replace(each, text=each.text.replace("{url}", url).replace("{key}", key))
        for each in ALL
    ]
