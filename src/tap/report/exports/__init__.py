"""The shoot for an editor: the cut list, and the files that editing programs open."""
