#!/usr/bin/env bash
# Makes the fonts of this folder again from Debian's packages fonts-noto-core, fonts-noto-cjk and
# fonts-droid-fallback, with pyftsubset of fonttools. README.md says what each covers.
set -euo pipefail
cd "$(dirname "$0")"
noto=/usr/share/fonts/truetype/noto
cjk=/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
droid=/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf

subset() { # FROM TO OPTION...
    pyftsubset "$1" --output-file="$2" --no-hinting --notdef-outline "${@:3}"
}

latin=U+0020-007E,U+00A0-024F,U+0259,U+02B0-036F,U+0370-03FF,U+0400-052F,U+1E00-1FFF,U+2010-2027
latin+=,U+202F-205E,U+2070-209F,U+20A0-20BF,U+2116,U+2122,U+2190-2193,U+2212,U+FB00-FB06,U+FFFD
for weight in Regular Bold; do
    subset "$noto/NotoSans-$weight.ttf" "NotoSans-$weight.ttf" --unicodes="$latin" \
        --layout-features=ccmp,locl,mark,mkmk,kern,liga
done
# Without U+FDFD and its like: one glyph wider than the page.
subset "$noto/NotoSansArabic-Regular.ttf" NotoSansArabic-Regular.ttf --layout-features='*' \
    --unicodes=U+0600-06FF,U+0750-077F,U+08A0-08FF,U+FB50-FDF9,U+FE70-FEFC
subset "$noto/NotoSansHebrew-Regular.ttf" NotoSansHebrew-Regular.ttf --layout-features='*' \
    --unicodes=U+0590-05FF,U+FB1D-FB4F
for script in Armenian Devanagari Georgian Thai; do
    subset "$noto/NotoSans$script-Regular.ttf" "NotoSans$script-Regular.ttf" \
        --layout-features='*' --unicodes='*'
done

# Hangul: KS X 1001. Han: GB 2312, Big5 and JIS X 0208, of each the level of the common ones.
characters() { # ENCODING FIRST LAST
    python3 - "$@" <<'PY'
import sys
encoding, first, last = sys.argv[1], int(sys.argv[2], 16), int(sys.argv[3], 16)
trails = [*range(0x40, 0x7F), *range(0xA1, 0xFF)] if encoding == "big5" else range(0xA1, 0xFF)
codes = (bytes([lead, trail]) for lead in range(first, last + 1) for trail in trails)
print("".join(code.decode(encoding, "ignore") for code in codes))
PY
}
text=$(mktemp)
trap 'rm -f "$text"' EXIT
characters euc_kr b0 c8 >"$text"
subset "$cjk" NotoSansKR-Regular.otf --font-number=1 --layout-features= --text-file="$text"
{ characters gb2312 b0 d7; characters big5 a4 c6; characters euc_jp b0 cf; } |
    python3 -c 'import sys; print("".join(c for c in sys.stdin.read() if "\u4e00" <= c <= "\u9fff"))' >"$text"
subset "$droid" DroidSansFallback.ttf --layout-features= --text-file="$text" \
    --unicodes=U+3000-30FF,U+31F0-31FF,U+FF01-FFEE
