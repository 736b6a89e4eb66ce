"""Static files with hashed names, native ES modules included, without comments and spaces."""

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
"""Packages whose new versions may make other files of the same sources."""

Paths = Mapping[str, tuple[Any, str]]
"""Name → the storage that has the source, and the path there."""

HASH_LENGTH = 6
"""Of hexadecimal digits; they tell apart the versions of one file only."""


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites `import` statements to hashed names too, so that modules can be cached for ever."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20
    """One for each link of the longest chain of imports."""

    def file_hash(self, name: str, content: File[Any] | None = None) -> str | None:
        """Shorter than usual: modules name each other so often that the rest is noticed."""
        whole: str | None = super().file_hash(name, content)
        return whole and whole[:HASH_LENGTH]

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Nothing, if what is there was made of the same sources by the same code: the work of
        each start but the first."""
        sources = digest_of(paths)
        if self.is_made_of(sources):
            # the files may be newer than this object, which looked for them before they were there
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
    """Gives compressed files the mode of what they were made of, whatever the umask is."""

    @staticmethod
    def write_data(path: str, data: bytes, suffix: str, stat_result: os.stat_result) -> str:
        name: str = Compressor.write_data(path, data, suffix, stat_result)
        os.chmod(name, stat.S_IMODE(stat_result.st_mode))
        return name


def digest_of(paths: Paths) -> str:
    """Of all sources, and of the code that makes of them what is served."""
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
"""One of a list; commas in brackets, at most two deep, are its own."""

PIGMENT = re.compile(r"(--[\w-]+):(light-dark\([^()]*\));")


def squeezed(css: str) -> str:
    """Minified CSS with the values of its pigments in the place of their names, and without the
    `&` of nested rules that a space or `>` follows: it says nothing."""
    for name, value in PIGMENT.findall(css):
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
    """A style sheet (`.css`) or a script (`.js`) without what only its readers need."""
    # imported here, because only who collects the files needs them: the other one starts threads
    short: str = text
    if kind == ".css":
        import lightningcss

        short = squeezed(lightningcss.process_stylesheet(text, minify=True))
    else:
        try:
            import minify
        except ImportError:  # no wheel for this machine: scripts are served as they were written
            return text
        short = shortened_script(text, partial(minify.string, "application/javascript"))
    return short
