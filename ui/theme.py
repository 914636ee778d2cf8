"""How the page looks: Gradio's own theme with the system's fonts, and colours that everybody can read."""

from typing import Final

import gradio as gr

HEAD: Final = """
<link rel="stylesheet" href="/freshet/page.css">
<link rel="stylesheet" href="/freshet/feed.css">
<link rel="icon" href="/freshet/icon.svg" type="image/svg+xml">
<meta name="referrer" content="no-referrer">
<script type="module" src="/freshet/page.js"></script>
"""

_LABEL: Final = {"text_color": "*neutral_700", "text_color_dark": "*neutral_200"}
_FILL: Final = {"background_fill": "transparent", "background_fill_dark": "transparent"}

# Teal on teal, as the theme has its labels, is too faint: axe-core measures it.
THEME: Final = gr.themes.Soft(
    primary_hue="teal",
    secondary_hue="teal",
    font=("system-ui", "sans-serif"),
    font_mono=("ui-monospace", "monospace"),
).set(
    **{f"block_label_{name}": value for name, value in {**_LABEL, **_FILL}.items()},
    **{f"block_title_{name}": value for name, value in {**_LABEL, **_FILL}.items()},
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    button_secondary_background_fill_hover="*neutral_100",
    button_secondary_background_fill_dark="*neutral_700",
    button_secondary_background_fill_hover_dark="*neutral_800",
    button_secondary_text_color="*neutral_800",
    button_secondary_text_color_dark="*neutral_100",
    button_secondary_text_color_hover="*neutral_800",
    button_secondary_text_color_hover_dark="*neutral_100",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800",
    button_primary_text_color="white",
)
