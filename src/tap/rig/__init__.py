"""The shoot that isn't there: cameras, a switcher and a director, made to order, with the truth.

`recipes.build` writes a whole recorded shoot (`tap-shoot/1` with `truth.json`); the rooms under it
are the footage (`footage`, `clip`), the cameras (`source`, `camera`, `stage`), the director
(`script`), the switcher (`plan`, `switcher`, `look`) and the writers (`encode`, `truth`, `write`).
"""
