"""What others say of a shoot, as claims to be judged: their cut lists and event logs.

Each reader turns a file into `Told` in the order of the file; `import_claims` puts them on the
shoot's clock and gives them tap's own words. Files come from outside: they are bounded in size,
and what is wrong in them is told with its line.
"""

from tap.claims.imports.read import Imported, Instructions, import_claims

__all__ = ["Imported", "Instructions", "import_claims"]
