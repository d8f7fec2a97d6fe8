"""An audit as others read it: SARIF for tools, Markdown for a review, one page of HTML for an engineer."""
