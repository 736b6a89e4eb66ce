"""Static files with hashed names, native ES modules included, without comments and spaces."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile, File
from servestatic.storage import CompressedManifestStaticFilesStorage

try:
    import minify
except ImportError:  # no wheel for this machine: files are served as they were written
    minify = None

OURS = "studio/"
KINDS = {".css": "text/css", ".js": "application/javascript"}


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites `import` statements to hashed names too, so that modules can be cached for ever."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20
    """One for each link of the longest chain of imports."""

    def _save(self, name: str, content: File[Any]) -> str:
        kind = KINDS.get(name[name.rfind(".") :])
        if minify is not None and kind and name.startswith(OURS):
            text = b"".join(content.chunks()).decode()
            content = ContentFile(minify.string(kind, text).encode())
        saved: str = super()._save(name, content)
        return saved
