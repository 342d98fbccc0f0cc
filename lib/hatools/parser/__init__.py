"""The crm configuration language: text to tree to CIB and back. Pure.

``tokens`` cuts text into words, ``grammar`` turns words into the tree of ``syntax``, ``to_cib``
and ``from_cib`` translate between tree and XML, ``printer`` writes a tree as text. ``dialect``
says what a CIB schema lets the language say.
"""
