"""Storage of static files: hashed names, also in ES modules, and minified content."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from servestatic.compress import Compressor
from servestatic.storage import CompressedManifestStaticFilesStorage

from liujuan_site import script_minifier, style_minifier
from liujuan_site.script_minifier import minified_script, module_aliases
from liujuan_site.style_minifier import constant_lengths, minified_styles

OWN_FOLDER = "studio/"
PACKAGES = ("django", "lightningcss", "servestatic", "tdewolff-minify")
"""Packages whose versions affect the files that are made."""

Paths = Mapping[str, tuple[Any, str]]
"""{name: (storage with the source, path in it)}."""

HASH_LENGTH = 6
"""Hexadecimal digits; enough, because they only tell apart versions of one file."""
HASH = re.compile(rf"\.[0-9a-f]{{{HASH_LENGTH}}}(?=\.(?:css|js)$)")


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also rewrites `import` statements to hashed names, so that modules can be cached for ever."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20
    """At least the length of the longest chain of imports."""

    def file_hash(self, name: str | None, content: File[Any] | None = None) -> str | None:
        """The first HASH_LENGTH digits; modules contain so many names that the rest adds up.

        It is the hash of what is served: other code here may make other content of the same source.
        """
        if name is not None and content is not None:  # the manifest has no name
            content = as_served(name, content)
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
            self.save_sources(sources)

    def manifest(self) -> dict[str, Any]:
        text = self.read_manifest()
        manifest: dict[str, Any] = json.loads(text) if text else {}
        return manifest

    def is_made_of(self, sources: str) -> bool:
        manifest = self.manifest()
        made = manifest.get("paths", {})
        return manifest.get("sources") == sources and all(map(self.exists, {*made, *made.values()}))

    def save_sources(self, sources: str) -> None:
        manifest = json.dumps(self.manifest() | {"sources": sources})
        self.manifest_storage.delete(self.manifest_name)
        self.manifest_storage._save(self.manifest_name, ContentFile(manifest.encode()))

    def create_compressor(self, **options: Any) -> ModePreservingCompressor:
        return ModePreservingCompressor(**options)

    def _save(self, name: str, content: File[Any]) -> str:
        saved: str = super()._save(name, as_served(name, content))
        return saved


class ModePreservingCompressor(Compressor):  # type: ignore[misc]
    """Gives compressed files the mode of their source, regardless of the umask."""

    @staticmethod
    def write_data(path: str, data: bytes, suffix: str, stat_result: os.stat_result) -> str:
        name: str = Compressor.write_data(path, data, suffix, stat_result)
        os.chmod(name, stat.S_IMODE(stat_result.st_mode))
        return name


def digest_of(paths: Paths) -> str:
    """Digest of all sources and of the code that processes them."""
    digest = hashlib.sha256()
    for code in (__file__, script_minifier.__file__, style_minifier.__file__):
        digest.update(Path(code).read_bytes())
    digest.update(repr((settings.STATIC_URL, [version(name) for name in PACKAGES])).encode())
    for name, (storage, path) in sorted(paths.items()):
        with storage.open(path) as file:
            digest.update(f"{name}\0{file.size}\0".encode() + file.read())
    return digest.hexdigest()


def as_served(name: str, content: File[Any]) -> File[Any]:
    """Our style sheets and scripts minified, all other files as they are."""
    kind = name[name.rfind(".") :]
    if not name.startswith(OWN_FOLDER) or kind not in {".css", ".js"}:
        return content
    text = b"".join(content.chunks()).decode()
    return ContentFile(minified(text, kind, HASH.sub("", name)).encode())


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


@cache
def aliases() -> dict[str, dict[str, str]]:
    return module_aliases(Path(settings.BASE_DIR, "static"))


@cache
def lengths() -> dict[str, str]:
    sheets = {
        path.name: path.read_text()
        for path in Path(settings.BASE_DIR, "static", OWN_FOLDER, "css").glob("*.css")
    }
    return constant_lengths(sheets.pop("theme.css"), sheets.values())


def aliases_for(module: str, target: str) -> dict[str, str]:
    """Aliases of the exports of `target`, a path relative to `module`, or of `module` itself.

    Both may contain a hash.
    """
    name = (
        posixpath.normpath(posixpath.join(posixpath.dirname(module), target)) if target else module
    )
    return aliases().get(HASH.sub("", name), {})


@lru_cache(maxsize=1)  # a file is hashed, then saved with the hash in its name
def minified(text: str, kind: str, name: str = "") -> str:
    """A minified style sheet (`.css`) or script (`.js`); `name` is its path below `static/`."""
    if kind == ".css":
        return minified_styles(text, lengths())
    try:
        # imported here, because only `collectstatic` needs it and it starts threads
        import minify
    except ImportError:  # no wheel for this platform: scripts are served as written
        return text
    return minified_script(
        text, partial(minify.string, "application/javascript"), partial(aliases_for, name)
    )
