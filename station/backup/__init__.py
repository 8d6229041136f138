"""A station's configuration as one file: made, judged before anything is written, and put back as a whole.

``container`` is the file's form, ``parts`` what is in it, ``plan`` what a restore would change, ``waiting`` what is to
be done at the next start of the appliance, when nothing else runs.
"""
