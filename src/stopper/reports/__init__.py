"""Say a report: each module has one `render(report) -> str`."""
