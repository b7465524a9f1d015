"""What there is to say of the data sets that need no files, at their default options."""

from __future__ import annotations

from cilsim.data.publication import Publication

_FONTS = "drawn here from the DejaVu fonts"
_DIGITS = "comes with scikit-learn"

GLYPHS100 = Publication("glyphs100", _FONTS, "that of the fonts: free", 100, 10_000, 5_000, ())
GLYPHS200 = Publication("glyphs200", _FONTS, "that of the fonts: free", 200, 20_000, 10_000, ())
DIGITS = Publication("digits", _DIGITS, "CC BY 4.0", 10, 1_258, 539, ())
