"""Where in a TOML text each key stands, so that an error can name the line.

`tomllib` gives the values and no positions. This walks the same text once more, after `tomllib`
has found it valid, and only keeps the line on which each key, table and array element begins.
"""

import re

Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2}(?!"))'
    r"|'''.*?'''(?:'{0,2}(?!'))"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))")
_LETTERS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def key_lines(text: str) -> dict[Path, int]:
    """Line (from 1) of every key, table header and array element in a valid TOML text.

    A path is the keys from the root down, with an index for each element of an array:
    `("cameras", 1, "url")`. Where a table is named by its parts only (`[a.b]`), `("a",)` has the
    line on which it is first named.
    """
    return _Walk(text).run()


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.last: dict[Path, int] = {}  # index of the newest [[table]] of each array of tables
        self._line, self._counted = 1, 0

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while self._blank() < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self._header("]]", array=True)
            elif self.text[self.at] == "[":
                table = self._header("]", array=False)
            else:
                self._pair(table)
        return self.lines

    def _header(self, close: str, *, array: bool) -> Path:
        line = self._line_here()
        self.at += len(close)
        keys = self._key()
        self.at = self.text.index(close, self.at) + len(close)
        path: Path = ()
        for depth, key in enumerate(keys):
            path += (key,)
            self.lines.setdefault(path, line)
            if array and depth == len(keys) - 1:
                self.last[path] = self.last.get(path, -1) + 1
                path += (self.last[path],)
            elif path in self.last:
                path += (self.last[path],)
        self.lines.setdefault(path, line)
        return path

    def _pair(self, table: Path) -> None:
        line = self._line_here()
        path = table
        for key in self._key():
            path += (key,)
            self.lines.setdefault(path, line)
        self.at = self.text.index("=", self.at) + 1
        self._value(path)

    def _key(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._match(_SPACE)
            quoted = self.text[self.at] in "\"'"
            word = self._match(_STRING if quoted else _BARE)
            keys.append(_unquote(word) if quoted else word)
            self._match(_SPACE)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _value(self, path: Path) -> None:
        self._blank()
        first = self.text[self.at]
        if first == "[":
            self._list(path)
        elif first == "{":
            self._inline(path)
        else:
            self._match(_STRING if first in "\"'" else _SCALAR)

    def _list(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.text[self._blank()] != "]":
            self.lines[(*path, index)] = self._line_here()
            self._value((*path, index))
            index += 1
            self._comma()
        self.at += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while self.text[self._blank()] != "}":
            self._pair(path)
            self._comma()
        self.at += 1

    def _comma(self) -> None:
        if self.text[self._blank()] == ",":
            self.at += 1

    def _blank(self) -> int:
        self._match(_BLANK)
        return self.at

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"not TOML at character {self.at}")
        self.at = found.end()
        return found.group()

    def _line_here(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line


def _unquote(word: str) -> str:
    if word[0] == "'":
        return word[1:-1]

    def letter(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        return chr(int(code, 16)) if code else _LETTERS.get(found[4], found[4])

    return _ESCAPE.sub(letter, word[1:-1])
