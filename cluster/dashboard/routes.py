"""``GET /dashboard`` and the two files it needs. The page holds no figures: it asks ``/metrics``.

Whoever may not read ``/metrics`` is told so by the page; with CALLCLUSTER_METRICS_TOKEN it asks
for the token and keeps it in the browser's tab. Nothing is loaded from anywhere else, and a
browser is told to refuse whatever would be.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI, HTTPException, Response

PATH = "/dashboard"
_TYPES = {"dashboard.css": "text/css", "dashboard.js": "text/javascript"}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def include_dashboard(app: FastAPI) -> None:
    """Add the routes. The files are read once."""
    folder = files("cluster.dashboard")
    page = folder.joinpath("dashboard.html").read_text("utf-8")
    parts = {name: folder.joinpath(name).read_text("utf-8") for name in _TYPES}

    @app.get(PATH, include_in_schema=False)
    async def dashboard() -> Response:
        return Response(page, media_type="text/html", headers=_HEADERS)

    @app.get(PATH + "/{name}", include_in_schema=False)
    async def part(name: str) -> Response:
        if name not in parts:
            raise HTTPException(404)
        return Response(parts[name], media_type=_TYPES[name], headers=_HEADERS)
