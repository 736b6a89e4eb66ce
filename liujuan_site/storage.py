"""Static files with hashed names, native ES modules included, without comments and spaces."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile, File
from servestatic.storage import CompressedManifestStaticFilesStorage

OURS = "studio/"
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

    def _save(self, name: str, content: File[Any]) -> str:
        kind = name[name.rfind(".") :]
        if name.startswith(OURS) and kind in {".css", ".js"}:
            content = ContentFile(shortened(b"".join(content.chunks()).decode(), kind).encode())
        saved: str = super()._save(name, content)
        return saved


def shortened(text: str, kind: str) -> str:
    """A style sheet (`.css`) or a script (`.js`) without what only its readers need."""
    # imported here, because only who collects the files needs them: the other one starts threads
    short: str = text
    if kind == ".css":
        import lightningcss

        short = lightningcss.process_stylesheet(text, minify=True)
    else:
        try:
            import minify
        except ImportError:  # no wheel for this machine: scripts are served as they were written
            return text
        short = minify.string("application/javascript", text)
    return short
