"""What templates need to show text."""

import hashlib
import random
import re

from markupsafe import Markup, escape

TAGLINES = [
    "Small things, built slowly.",
    "Bread, bytes and blunt tools.",
    "Works on my bench.",
]


def article(body):
    """Turn plain text with `code`, ## headings, - lists and indented code into HTML."""
    blocks = []
    for block in re.split(r"\n\s*\n", body.replace("\r\n", "\n")):
        head, _, rest = block.partition("\n")
        if head.startswith("## "):
            blocks.append(Markup("<h2>{}</h2>").format(head[3:]))
            block = rest
        if block.startswith("    "):
            blocks.append(Markup("<pre>{}</pre>").format(block))
        elif block.startswith("- "):
            items = [Markup("<li>{}</li>").format(inline(line[2:])) for line in block.splitlines()]
            blocks.append(Markup("<ul>{}</ul>").format(Markup("").join(items)))
        elif block:
            blocks.append(Markup("<p>{}</p>").format(inline(block)))
    return Markup("\n").join(blocks)


def inline(text):
    """Show what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def hue(name):
    """Give every name one of twelve colours: a class, since the policy allows no style attribute."""
    return int(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(), 16) % 12


def init_app(app):
    """Give the filters to Jinja."""
    app.add_template_filter(article)
    app.add_template_filter(hue)

    @app.context_processor
    def tagline():
        return {"tagline": random.choice(TAGLINES)}
