"""Static files with hashed names, native ES modules included."""

from __future__ import annotations

from servestatic.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites `import` statements to hashed names too, so that modules can be cached for ever."""

    support_js_module_import_aggregation = True
