"""Documents on paper (PDF): letterhead, text, tables, page numbers.

``paper.Paper`` is the one to use. It loads reportlab, which is large: import it only in a process that ends (a maker of
``webui.work``), never in the web server. ``letterhead`` is light.
"""
