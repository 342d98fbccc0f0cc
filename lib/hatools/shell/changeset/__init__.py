"""The working copy of the configuration: objects, edits and what follows from them. Pure.

``workspace`` holds the objects and their edits; ``objects`` says what an object is; ``references``
keeps constraints and tags right when objects come and go; ``imports`` takes over whole texts;
``merging`` and ``comparing`` are about elements alone.
"""
