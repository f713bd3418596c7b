"""Time what is done with a page of 1 MB once it is there. Run: `python -m benchmarks.server.opengraph`."""

from __future__ import annotations

import sys

from benchmarks.server.measuring import medians, ratio

HEAD = (
    b"<!doctype html><html><head><title>Title</title>"
    + b"".join(b'<meta property="og:image" content="/image-%d.png">' % number for number in range(20))
    + b"".join(b'<meta name="other-%d" content="value">' % number for number in range(100))
)
SCRIPT = b"<script>" + b"window.value = 'some text of a script';\n" * 25_000 + b"</script>"


def main() -> int:
    from django_stream.server.opengraph.fetching import Fetched
    from django_stream.server.opengraph.parsing import parse

    pages = {
        "1 MB, most of it in the head": Fetched("https://example.com/", HEAD + SCRIPT, "utf-8"),
        "1 MB, most of it in the body": Fetched("https://example.com/", HEAD, "utf-8"),
    }
    assert len(HEAD + SCRIPT) > 1_000_000
    assert len(parse(pages["1 MB, most of it in the head"])["images"]) == 20
    times = medians({name: lambda page=page: parse(page) for name, page in pages.items()}, per_round=5)
    met = [ratio(f"{name}: ms", seconds * 1000, 2.0) for name, seconds in times.items()]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
