"""The single-file report: `load.load_bundle` reads a run, `render.render` makes the page."""
