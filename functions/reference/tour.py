"""The part of reference in the tour."""

from common import call


def take(tour) -> None:
    """Says where the reference is, and counts what it shows."""
    tour.step("The reference: every endpoint, to read and to call")
    paths = call("GET", f"{tour.api}/v1/openapi.json")["paths"]
    print(f"     {tour.api}/docs  {sum(map(len, paths.values()))} endpoints")
