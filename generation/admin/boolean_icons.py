"""Icons of yes and no in the admin, described in the reader's language."""

from __future__ import annotations

from django.contrib.admin.templatetags import admin_list
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

ICONS = {True: ("yes", _("Yes")), False: ("no", _("No")), None: ("unknown", _("Unknown"))}


def boolean_icon(value: bool | None) -> SafeString:
    name, words = ICONS[value]
    return format_html('<img src="{}" alt="{}">', static(f"admin/img/icon-{name}.svg"), words)


def use_in_admin() -> None:
    """Replace Django's icons, whose descriptions are always "True", "False" and "None"."""
    admin_list._boolean_icon = boolean_icon  # type: ignore[attr-defined]
