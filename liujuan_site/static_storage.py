"""Storage of static files: hashed names, also in modules; own files bundled and minified."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import InMemoryStorage
from servestatic.compress import Compressor
from servestatic.storage import CompressedManifestStaticFilesStorage

from liujuan_site.script_bundler import Bundle, bundled
from liujuan_site.script_minifier import minified_script, with_numbers
from liujuan_site.style_minifier import constant_lengths, minified_styles

OWN_FOLDER = "studio/"
PACKAGES = ("django", "lightningcss", "servestatic", "tdewolff-minify")
"""Packages whose versions affect the files that are made."""

CODE = ("static_storage.py", "script_bundler.py", "script_minifier.py", "style_minifier.py")

Paths = Mapping[str, tuple[Any, str]]
"""{name: (storage with the source, path in it)}."""

HASH_LENGTH = 6
"""Hexadecimal digits; enough, because they only tell apart versions of one file."""


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
        bundles = bundles_of(paths)
        yield from super().post_process(with_bundles(paths, bundles), dry_run=dry_run, **options)
        if not dry_run:
            self.hashed_files |= {
                module: self.hashed_files[name]
                for name, bundle in bundles.items()
                for module in bundle.modules
            }
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
        manifest = json.dumps(self.manifest() | {"sources": sources, "paths": self.hashed_files})
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
    for code in CODE:
        digest.update(Path(__file__).with_name(code).read_bytes())
    digest.update(repr((settings.STATIC_URL, [version(name) for name in PACKAGES])).encode())
    for name, (storage, path) in sorted(paths.items()):
        with storage.open(path) as file:
            digest.update(f"{name}\0{file.size}\0".encode() + file.read())
    return digest.hexdigest()


def bundles_of(paths: Paths) -> dict[str, Bundle]:
    """{name: bundle} of our scripts."""
    return bundled(
        {name: with_numbers(read(*path)) for name, path in paths.items() if is_own(name, ".js")}
    )


def with_bundles(paths: Paths, bundles: Mapping[str, Bundle]) -> Paths:
    """The paths with minified bundles in the place of our scripts."""
    made = InMemoryStorage()
    for name, bundle in bundles.items():
        made.save(name, ContentFile(minified(bundle.text).encode()))
    others = {name: path for name, path in paths.items() if not is_own(name, ".js")}
    return others | {name: (made, name) for name in bundles}


def read(storage: Any, path: str) -> str:
    with storage.open(path) as file:
        text: str = file.read().decode()
        return text


def is_own(name: str, suffix: str) -> bool:
    return name.startswith(OWN_FOLDER) and name.endswith(suffix)


def as_served(name: str, content: File[Any]) -> File[Any]:
    """Our style sheets minified, all other files as they are."""
    if not is_own(name, ".css"):
        return content
    return ContentFile(minified_sheet(b"".join(content.chunks()).decode()).encode())


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


@cache
def lengths() -> dict[str, str]:
    sheets = {
        path.name: path.read_text()
        for path in Path(settings.BASE_DIR, "static", OWN_FOLDER, "css").glob("*.css")
    }
    return constant_lengths(sheets.pop("theme.css"), sheets.values())


@lru_cache(maxsize=1)  # a file is hashed, then saved with the hash in its name
def minified_sheet(text: str) -> str:
    return minified_styles(text, lengths())


def minified(script: str) -> str:
    try:
        # imported here, because only `collectstatic` needs it and it starts threads
        import minify
    except ImportError:  # no wheel for this platform: scripts are served as written
        return script
    return minified_script(script, partial(minify.string, "application/javascript"))
