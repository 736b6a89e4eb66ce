"""Lint of the language of the sources, run by `make lint`.

- Docstrings and comments contain no refused word (REFUSED below). Code in backticks and quoted
  text are not prose and are not checked.
- Every public class of the packages in GLOSSARY_PACKAGES is named in docs/glossary.md.
- No test module imports another. No base name is used by two modules of `generation/`, or by two
  of `tests/`, except the names that stand in REPEATED_NAMES.

LEFT holds what is still to be rewritten per top-level folder. A count may fall, never rise; remove
an entry once its folder is clean. `python -m tests.language_guard --list` prints every place.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent

LEFT: dict[str, int] = {}

REFUSED = re.compile(
    r"""\b(?:
    he|him|his|himself|she|hers|herself
    |whoever|whom|somebody|nobody|anybody|everybody
    |who\ (?:has|is|had|was|may|asks|comes|goes|waits)
    |(?-i:(?<!\w\ )Who)
    |told|(?:is|are|be)\ heard|tells?\ (?:of|what|whether|how|so)|hears?\ of
    |lets?\ go|letting\ go|mend(?:s|ed|ing)?
    |(?:a|an|the|one|each|every|another|first|last|next)\ looks?
    |of\ good\ will|shall|anew|by\ letter|life\ and\ death
    |bur(?:y|ies|ied)|condemn(?:s|ed)?|appetite|haunted|rungs?|ladder|blows?|deeds?
    |in\ line|the\ bin|eavesdroppers?
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
QUOTED = re.compile(r"`[^`]*`|\"[^\"\n]*\"|“[^”\n]*”")

BLOCK_COMMENT = r"/\*.*?\*/"
LINE_COMMENT = r"(?:^|(?<=\s))//\s[^\n]*"
COMMENTS = {
    ".js": rf"{BLOCK_COMMENT}|{LINE_COMMENT}",
    ".css": BLOCK_COMMENT,
    ".html": r"<!--.*?-->|\{#.*?#\}|\{% comment.*?endcomment %\}"
    rf"|{BLOCK_COMMENT}|{LINE_COMMENT}",
}
HASH_COMMENT = r"(?:^|(?<=\s))#\s[^\n]*"
HASH_SUFFIXES = {"", ".conf", ".env", ".service", ".target", ".timer", ".toml", ".yaml"}

GLOSSARY_PACKAGES = ("accounts", "generation", "liujuan_site")
# named after the class of Django or Twisted that they extend
FRAMEWORK_FOLDERS = {"admin", "management", "migrations", "postgresql", "templatetags"}
FRAMEWORK_FILES = {"admin.py", "apps.py"}

REPEATED_FOLDERS = {"admin", "management", "migrations", "models", "views"}
REPEATED_NAMES = {"__init__", "__main__", "conftest", "urls"}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`group` is the entry of LEFT that counts it; `line` is 0 if it concerns the whole file."""

    group: str
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def tracked_files() -> list[str]:
    """Files that Git tracks or would add, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(name for name in set(listed.stdout.splitlines()) if (ROOT / name).is_file())


def python_prose(text: str) -> Iterator[tuple[int, str]]:
    """(line, text) of comments and of strings that are a whole statement."""
    begins_statement = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and begins_statement):
            yield token.start[0], token.string.strip("\"'")
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            begins_statement = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def other_prose(text: str, pattern: str) -> Iterator[tuple[int, str]]:
    for found in re.finditer(pattern, text, re.DOTALL | re.MULTILINE):
        yield text.count("\n", 0, found.start()) + 1, found[0]


def prose(path: str, text: str) -> Iterator[tuple[int, str]]:
    """(first line, text) of every comment and docstring; empty for files without comments."""
    suffix = PurePosixPath(path).suffix
    if suffix == ".py":
        yield from python_prose(text)
    elif suffix in COMMENTS:
        yield from other_prose(text, COMMENTS[suffix])
    elif suffix in HASH_SUFFIXES:
        yield from other_prose(text, HASH_COMMENT)


def refused_words(path: str, text: str) -> Iterator[Finding]:
    group = path.partition("/")[0] if "/" in path else "root"
    for first, block in prose(path, text):
        # line ends are kept, so that the number of a line stays right
        unquoted = QUOTED.sub(lambda quoted: "\n" * quoted[0].count("\n"), block)
        for number, line in enumerate(unquoted.splitlines(), first):
            for found in REFUSED.finditer(line):
                yield Finding(group, path, number, f"refused word: {found[0]}")


def public_classes(path: str, text: str) -> Iterator[tuple[int, str]]:
    """(line, name) of the public classes that a module defines at its top level."""
    *folders, name = path.split("/")
    if FRAMEWORK_FOLDERS & set(folders) or name in FRAMEWORK_FILES:
        return
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.lineno, node.name


def unexplained_classes(path: str, text: str, glossary: str) -> Iterator[Finding]:
    for line, name in public_classes(path, text):
        if f"`{name}`" not in glossary:
            yield Finding("glossary", path, line, f"not in docs/glossary.md: {name}")


def imports_of_tests(path: str, text: str) -> Iterator[Finding]:
    """Imports of modules that pytest collects; what tests share belongs into other modules."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            imported = [node.module or "", *(f"{node.module}.{each.name}" for each in node.names)]
        elif isinstance(node, ast.Import):
            imported = [each.name for each in node.names]
        else:
            continue
        for module in imported:
            if module.startswith("tests.") and module.rpartition(".")[2].startswith("test_"):
                yield Finding("test imports", path, node.lineno, f"imports a test: {module}")
                break


def repeated_names(paths: list[str]) -> Iterator[Finding]:
    """Modules with the base name of an earlier one."""
    seen: dict[tuple[str, str], str] = {}
    for path in map(PurePosixPath, paths):
        if path.parts[0] not in ("generation", "tests") or path.suffix != ".py":
            continue
        if path.stem in REPEATED_NAMES or REPEATED_FOLDERS & set(path.parts):
            continue
        first = seen.setdefault((path.parts[0], path.stem), str(path))
        if first != str(path):
            yield Finding("base names", str(path), 0, f"same base name as {first}")


def findings() -> list[Finding]:
    paths = tracked_files()
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    found = list(repeated_names(paths))
    for path in paths:
        suffix = PurePosixPath(path).suffix
        if suffix != ".py" and suffix not in COMMENTS and suffix not in HASH_SUFFIXES:
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        if path != "tests/language_guard.py":
            found += refused_words(path, text)
        if suffix == ".py" and path.startswith(GLOSSARY_PACKAGES):
            found += unexplained_classes(path, text, glossary)
        if suffix == ".py" and path.startswith("tests/"):
            found += imports_of_tests(path, text)
    return sorted(found)


def main() -> int:
    """1 if a group has more findings than LEFT allows."""
    parser = argparse.ArgumentParser(prog="python -m tests.language_guard")
    parser.add_argument("--list", action="store_true", help="print every place, allowed or not")
    parser.add_argument("paths", nargs="*", help="print only places in these files or folders")
    options = parser.parse_args()
    found = findings()
    counts = Counter(each.group for each in found)
    risen = {group for group, count in counts.items() if count > LEFT.get(group, 0)}
    for each in found:
        if each.path.startswith(tuple(options.paths) or "") and (
            options.list or each.group in risen
        ):
            print(each)
    for group in sorted(LEFT.keys() | counts.keys()):
        allowed, count = LEFT.get(group, 0), counts[group]
        advice = "" if count == allowed else " (too many)" if count > allowed else " (lower LEFT)"
        print(f"{group}: {count} of {allowed}{advice}")
    return 1 if risen else 0


if __name__ == "__main__":
    sys.exit(main())
