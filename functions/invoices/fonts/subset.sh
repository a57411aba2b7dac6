#!/usr/bin/env bash
# Makes the fonts of this folder again from Debian's packages fonts-noto-core, fonts-noto-cjk and
# fonts-droid-fallback, and from an npm package, with pyftsubset of fonttools. Then shapes the words of
# shaped.tsv with HarfBuzz (hb-shape of libharfbuzz-bin). README.md says what each font covers.
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
scripts=(Armenian Devanagari Georgian Thai
    Bengali Tamil Telugu Kannada Malayalam Gujarati Gurmukhi Oriya Sinhala
    Myanmar Khmer Lao Ethiopic Cherokee Mongolian Thaana NKo Tifinagh Syriac OlChiki MeeteiMayek
    CanadianAboriginal Yi Vai Adlam Javanese Balinese Sundanese Buginese Batak Rejang
    TaiLe NewTaiLue TaiTham TaiViet Cham KayahLi Lisu Miao Chakma Lepcha Limbu HanifiRohingya Bamum
    SylotiNagri Saurashtra Newa Wancho WarangCiti SoraSompeng Mro GunjalaGondi MasaramGondi
    Osage MendeKikakui BassaVah PahawhHmong Mandaic Samaritan
    Tagalog Hanunoo Buhid Tagbanwa Medefaidrin Osmanya Deseret)
for script in "${scripts[@]/#/NotoSans}" NotoSerifTibetan NotoSerifNyiakengPuachueHmong; do
    subset "$noto/$script-Regular.ttf" "$script-Regular.ttf" --layout-features='*' --unicodes='*'
done

# Symbols and monochrome emoji.
subset "$noto/NotoSansSymbols-Regular.ttf" NotoSansSymbols-Regular.ttf --layout-features= --unicodes='*'
subset "$noto/NotoSansSymbols2-Regular.ttf" NotoSansSymbols2-Regular.ttf --layout-features= \
    --unicodes=U+2190-2BFF,U+1F000-1FAFF
subset "$noto/NotoSansMath-Regular.ttf" NotoSansMath-Regular.ttf --layout-features= \
    --unicodes=U+2070-2BFF,U+1D400-1D7FF
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
emoji=$(cd "$work" && npm pack --silent @expo-google-fonts/noto-emoji@0.4.7)
echo "6a25fd5a4da5bb34bbc2d300531bbf32de86afd866e119314d7e358f61a6104d  $work/$emoji" | sha256sum --check --quiet
tar -xzf "$work/$emoji" -C "$work"
subset "$work/package/400Regular/NotoEmoji_400Regular.ttf" NotoEmoji-Regular.ttf \
    --layout-features='*' --unicodes='*'

# Every Hangul syllable, enclosed letters such as U+321C, and every Han character of Unicode 1.1.
subset "$cjk" NotoSansKR-Regular.otf --font-number=1 --layout-features= \
    --unicodes=U+AC00-D7A3,U+3130-318F,U+3200-33FF
subset "$droid" DroidSansFallback.ttf --layout-features= \
    --unicodes=U+3000-312F,U+31A0-31FF,U+4E00-9FFF,U+F900-FAFF,U+FF01-FFEE

# The glyphs that HarfBuzz selects for each word, in visual order.
while IFS=$'\t' read -r font word _; do
    glyphs=$(hb-shape --no-clusters --no-positions --no-glyph-names "$font" "$word")
    printf '%s\t%s\t%s\n' "$font" "$word" "$(tr -d '[]' <<<"$glyphs" | tr '|' ' ')"
done <shaped.tsv >"$work/shaped.tsv"
cp "$work/shaped.tsv" shaped.tsv
