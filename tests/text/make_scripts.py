#!/usr/bin/env python3
"""Writes the rows of src/text/split/scripts.inc to standard output: which characters the UnicodeScripts pre-tokeniser of
the library tokenizers takes for one script, found by asking it about every code point.

    make_scripts.py > src/text/split/scripts.inc
"""
from tokenizers import pre_tokenizers

SPLIT = pre_tokenizers.UnicodeScripts().pre_tokenize_str


def together(text):
    return len(SPLIT(text)) == 1


def main():
    first_of = []  # of each script, one character
    rows, last = [], None
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        c = chr(code)
        if together("A" + c + "A") and together("α" + c + "α"):
            script = 0  # of no script: it joins any
        else:
            script = next((i + 1 for i, first in enumerate(first_of) if together(first + c)), 0)
            if script == 0:
                first_of.append(c)
                script = len(first_of)
        if script != last:
            rows.append(f"{{0x{code:X},{script}}},")
            last = script
    print("// Rows of kScripts (tests/text/make_scripts.py).")
    line = ""
    for row in rows:
        if len(line) + len(row) > 117:
            print(line.rstrip())
            line = ""
        line += row + " "
    print(line.rstrip())


main()
