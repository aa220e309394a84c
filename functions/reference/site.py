"""The files of the reference, which infra/package.py puts into the zip of the program: the pages of site/, Swagger UI,
the OpenAPI document as JSON, and docs/problems/ and docs/VERSIONS.md as HTML."""

import json
import re

import yaml
from common import ROOT
from markdown_it import MarkdownIt

HERE = ROOT / "functions" / "reference" / "site"
SWAGGER = ROOT / "infra" / "npm" / "node_modules" / "swagger-ui-dist"
SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "LICENSE", "NOTICE")
PROBLEMS = ROOT / "docs" / "problems"
VERSIONS = ROOT / "docs" / "VERSIONS.md"


class Plain(yaml.SafeLoader):
    """YAML whose times are texts, as in JSON."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{root}docs/favicon-32x32.png">
<link rel="stylesheet" href="{root}docs/reference.css">
</head>
<body>
<main>
{content}</main>
</body>
</html>
"""


def page(markdown: str, root: str) -> bytes:
    """The HTML of a page. `root` leads from the page to the root of the API."""
    title = markdown.split("\n", 1)[0].removeprefix("# ")
    content = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return PAGE.format(title=title, root=root, content=content).encode()


def problems() -> dict[str, bytes]:
    """The pages of the problem types, and their index."""
    # The page of a type is /docs/problems/<type>, and the index is /docs/problems.
    index = re.sub(r"\]\(([\w-]+)\.md\)", r"](problems/\1)", (PROBLEMS / "README.md").read_text())
    found = {"problems.html": page(index, "../")}
    for path in PROBLEMS.glob("*.md"):
        if path.stem != "README":
            text = path.read_text().replace("](README.md)", "](../problems)")
            text = re.sub(r"\]\(([\w-]+)\.md\)", r"](\1)", text).replace("](../VERSIONS.md)", "](../versions.html)")
            found[f"problems/{path.stem}.html"] = page(text, "../../")
    return found


def files() -> dict[str, bytes]:
    """The files by their path below site/."""
    found = {name: (HERE / name).read_bytes() for name in ("index.html", "reference.css", "reference.js")}
    found |= {name: (SWAGGER / name).read_bytes() for name in SWAGGER_FILES}
    document = yaml.load((ROOT / "openapi.yaml").read_text(), Plain)
    found["openapi.json"] = json.dumps(document, separators=(",", ":")).encode()
    versions = re.sub(r"\]\((problems/[\w-]+)\.md\)", r"](\1)", VERSIONS.read_text())
    return found | problems() | {"versions.html": page(versions, "../")}
