"""Charts and tables from our types. Nothing is computed here.

A page may set the colours of drawings with the CSS variables `--tb-paper`, `--tb-up`, `--tb-down`,
`--tb-support` and `--tb-resistance`. Tables and key figures have the classes `tb-table`, `tb-number`,
`tb-strip`, `tb-mark` (with `tb-rise`, `tb-fall`, `tb-yes`, `tb-no`), `tb-empty` and `tb-facts`; what style
they bring along is for notebooks, and a page may drop it. Every figure stands in an element with `data-fact`,
the name of its fact.
"""
