"""Storage of static files: hashed names, also in ES modules, and minified content."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from servestatic.compress import Compressor
from servestatic.storage import CompressedManifestStaticFilesStorage

from liujuan_site import script_minifier
from liujuan_site.script_minifier import shortened_script

OURS = "studio/"
MAKERS = ("django", "lightningcss", "servestatic", "tdewolff-minify")
"""Packages whose versions affect the files that are made."""

Paths = Mapping[str, tuple[Any, str]]
"""{name: (storage with the source, path in it)}."""

HASH_LENGTH = 6
"""Hexadecimal digits; enough, because they only tell apart versions of one file."""


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also rewrites `import` statements to hashed names, so that modules can be cached for ever."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20
    """At least the length of the longest chain of imports."""

    def file_hash(self, name: str, content: File[Any] | None = None) -> str | None:
        """The first HASH_LENGTH digits; modules contain so many names that the rest adds up."""
        full: str | None = super().file_hash(name, content)
        return full and full[:HASH_LENGTH]

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Process the files, unless the existing ones were made of the same sources and code.

        Then a start is fast.
        """
        sources = digest_of(paths)
        if self.is_made_of(sources):
            # this object may have read the manifest before the files existed
            self.hashed_files, self.manifest_hash = self.load_manifest()
            return
        yield from super().post_process(paths, dry_run=dry_run, **options)
        if not dry_run:
            self.note(sources)

    def manifest(self) -> dict[str, Any]:
        text = self.read_manifest()
        manifest: dict[str, Any] = json.loads(text) if text else {}
        return manifest

    def is_made_of(self, sources: str) -> bool:
        manifest = self.manifest()
        made = manifest.get("paths", {})
        return manifest.get("sources") == sources and all(map(self.exists, {*made, *made.values()}))

    def note(self, sources: str) -> None:
        manifest = json.dumps(self.manifest() | {"sources": sources})
        self.manifest_storage.delete(self.manifest_name)
        self.manifest_storage._save(self.manifest_name, ContentFile(manifest.encode()))

    def create_compressor(self, **options: Any) -> ModeKeeper:
        return ModeKeeper(**options)

    def _save(self, name: str, content: File[Any]) -> str:
        kind = name[name.rfind(".") :]
        if name.startswith(OURS) and kind in {".css", ".js"}:
            content = ContentFile(shortened(b"".join(content.chunks()).decode(), kind).encode())
        saved: str = super()._save(name, content)
        return saved


class ModeKeeper(Compressor):  # type: ignore[misc]
    """Gives compressed files the mode of their source, regardless of the umask."""

    @staticmethod
    def write_data(path: str, data: bytes, suffix: str, stat_result: os.stat_result) -> str:
        name: str = Compressor.write_data(path, data, suffix, stat_result)
        os.chmod(name, stat.S_IMODE(stat_result.st_mode))
        return name


def digest_of(paths: Paths) -> str:
    """Digest of all sources and of the code that processes them."""
    digest = hashlib.sha256()
    for code in (__file__, script_minifier.__file__):
        digest.update(Path(code).read_bytes())
    digest.update(repr((settings.STATIC_URL, [version(name) for name in MAKERS])).encode())
    for name, (storage, path) in sorted(paths.items()):
        with storage.open(path) as file:
            digest.update(f"{name}\0{file.size}\0".encode() + file.read())
    return digest.hexdigest()


PRELUDE = re.compile(r"(?<=[{};])&[^{};]*(?=\{)")
SELECTOR = re.compile(r"(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|[^,(])+")
"""One selector of a list, which may contain commas in brackets, at most two deep."""

COLOR = re.compile(r"(--[\w-]+):(light-dark\([^()]*\));")
"""A custom property with one color for each theme."""


def squeezed(css: str) -> str:
    """Minified CSS with inlined color properties and without redundant `&` in nested rules.

    `&` is redundant before a space or `>`.
    """
    for name, value in COLOR.findall(css):
        if f"var({name})" in css:
            css = css.replace(f"{name}:{value};", "").replace(f"var({name})", value)
    return PRELUDE.sub(lambda found: ",".join(map(bare, SELECTOR.findall(found[0]))), css)


def bare(selector: str) -> str:
    return selector.removeprefix("&").lstrip() if selector.startswith(("& ", "&>")) else selector


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def shortened(text: str, kind: str) -> str:
    """A minified style sheet (`.css`) or script (`.js`)."""
    # imported here, because only `collectstatic` needs them and `minify` starts threads
    short: str = text
    if kind == ".css":
        import lightningcss

        short = squeezed(lightningcss.process_stylesheet(text, minify=True))
    else:
        try:
            import minify
        except ImportError:  # no wheel for this platform: scripts are served as written
            return text
        short = shortened_script(text, partial(minify.string, "application/javascript"))
    return short
