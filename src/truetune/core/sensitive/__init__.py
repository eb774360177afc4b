"""Personal data and secrets in a text: the one home of their patterns, for the data gate, redaction and the report.

`personal` and `secrets` find, `phones` and `checksums` decide, `masking` says what may be shown, `placeholders` replaces.
Nothing here but the standard library, and nothing that takes more than linear time on a hostile text.
"""
